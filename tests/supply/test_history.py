"""No commit ever held a secret, not even one that was taken out again."""

from __future__ import annotations

import secrets

import pytest
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from tests.supply.history import added_lines, git, looks_like

# detect-secrets' own readers of well-known forms; those that guess by words or randomness tell too little here,
# and the one for addresses takes hostile ones of the tests for real ones (ours leaves out hosts that cannot be).
PLUGINS = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
# An address nobody listens at, which must not show in any error page.
CANARY = "kim:" + 'sesame@db"'


def test_no_line_ever_added_looks_like_a_secret() -> None:
    lines = list(added_lines())
    assert lines
    found = {f"{where}: {what}" for where, line in lines if (what := looks_like(line)) and not line.endswith(CANARY)}
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        f"KEY = 'scr_{secrets.token_hex(20)}'",
        "-----BEGIN " + f"PRIVATE KEY-----\\n{secrets.token_hex(16)}",
        f"eyJ{secrets.token_hex(8)}.eyJ{secrets.token_hex(8)}.{secrets.token_hex(16)}",
        f"VAULT_TOKEN=hvs.{secrets.token_hex(16)}",
        f"aws AKIA{secrets.token_hex(8).upper()}",
        f"ghp_{secrets.token_hex(18)}",
        f"postgresql://someone:{secrets.token_hex(8)}@db.internal/x",
        f"$argon2id$v=19$m=19456,t=2,p=1${secrets.token_hex(11)}xyz${secrets.token_hex(22)}",
    ],
    # The lines are new in every process; tests that several processes share need names that are not.
    ids=["key", "private-key", "jwt", "vault", "aws", "github", "dsn", "hash"],
)
def test_one_would_be_noticed(line: str) -> None:
    assert looks_like(line)


def test_ordinary_lines_are_none() -> None:
    for line in (
        "postgresql://localhost/x",
        "prefix scr_ and 40 random characters",
        "hvs is how tokens begin",
        "eyJ...",
    ):
        assert looks_like(line) is None


@pytest.mark.proof
def test_detect_secrets_finds_nothing_in_the_whole_history() -> None:
    """All of its readers of well-known forms, over every line ever added; needs a clone that is not shallow."""
    assert git("rev-parse", "--is-shallow-repository").strip() == "false", "fetch the whole history first"
    with transient_settings({"plugins_used": [{"name": name} for name in PLUGINS]}):
        planted = f"token = 'ghp_{secrets.token_hex(18)}'"
        assert list(scan_line(planted)), "the scanner finds nothing at all"
        found = {f"{where}: {one.type}" for where, line in added_lines() if len(line) < 5000 for one in scan_line(line)}
    assert found == set()
