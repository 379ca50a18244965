"""Only what HashiCorp Vault and OpenBao share is called; the houses' own end looks into the audit log of all their tests."""

from __future__ import annotations

import re
from pathlib import Path

from app.vault.broker import Broker
from tests.asked import asked_for
from tests.vault.conftest import House
from vault import endpoints
from vault.endpoints import SHARED, unshared

POLICIES = Path(endpoints.__file__).parent / "policies"
NAMED = re.compile(r'^path "([^"]+)"', re.MULTILINE)


def test_what_only_one_server_knows_is_found() -> None:
    assert unshared(
        ["sys/events/subscribe/kv*", "kv/data/scriptorium/session", "sys/namespaces/a", "transit/sign/a/b"]
    ) == [
        "sys/events/subscribe/kv*",
        "sys/namespaces/a",
        "transit/sign/a/b",
    ]


async def test_a_start_and_a_rotation_are_in_the_audit_log_and_shared(house: House) -> None:
    broker = Broker(house.settings("endpoints"))
    await broker.start()
    await broker.rotate("csrf")
    await broker.stop()
    asked = asked_for(house.stack)
    assert {"auth/approle/login", "database/creds/scriptorium-app", "kv/data/scriptorium/csrf"} <= asked
    assert unshared(asked) == []


def test_no_policy_speaks_of_more() -> None:
    """A leading path with a lease id at its end, and a star for every secret, are forms of paths that are listed."""
    for policy in POLICIES.glob("*.hcl"):
        paths = [
            path.replace("@kv@", "kv").replace("@name@", "scriptorium").replace("*", "any")
            for path in NAMED.findall(policy.read_text("utf-8"))
        ]
        short = [path for path in paths if unshared([path])]
        assert all(any(listed.startswith(path) for listed in SHARED) or _lease(path) for path in short), (
            policy.name,
            short,
        )


def _lease(path: str) -> bool:
    return path.startswith(("sys/leases/renew/", "sys/leases/revoke/"))
