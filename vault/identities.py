"""Who may sign in to Vault for Scriptorium: two AppRoles for programs, two orphan tokens for those who run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import hvac
from hvac.exceptions import Forbidden

from vault.names import POLICIES, Names

POLICY_FILES = Path(__file__).parent / "policies"
APP_CLOCK = {"token_period": "2h"}
MIGRATE_CLOCK = {"token_ttl": "20m", "token_max_ttl": "1h"}
TOKEN_HOLDERS = ("deployer", "rotator")


@dataclass(frozen=True)
class Identities:
    """What provisioning hands out.  Role ids are names, not secrets; tokens are secrets."""

    role_ids: Mapping[str, str]
    tokens: Mapping[str, str] = field(repr=False)


def ensure_policies(client: hvac.Client, names: Names) -> None:
    """Write the five policies as they stand in `policies/`."""
    for part in POLICIES:
        text = (POLICY_FILES / f"{part}.hcl").read_text(encoding="utf-8")
        client.sys.create_or_update_policy(names.of(part), names.fill(text))


def ensure_approles(client: hvac.Client, names: Names, bound_cidrs: Sequence[str] = ()) -> dict[str, str]:
    """Make the AppRoles and return their role ids by full role name.

    A secret-id works once and for fifteen minutes.  The application's token is periodic, with a period of twice the
    database lease: a lease dies with the token that made it, so the token must never be the shorter one.
    """
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("approle")
    common = {
        "token_no_default_policy": True,
        "token_type": "service",
        "bind_secret_id": True,
        "secret_id_num_uses": 1,
        "secret_id_ttl": "15m",
        "secret_id_bound_cidrs": list(bound_cidrs),
        "token_bound_cidrs": list(bound_cidrs),
    }
    app, migrate = names.of("app"), names.of("migrate")
    client.auth.approle.create_or_update_approle(app, token_policies=[app], **common, **APP_CLOCK)
    client.auth.approle.create_or_update_approle(migrate, token_policies=[migrate], **common, **MIGRATE_CLOCK)
    return {role: client.auth.approle.read_role_id(role)["data"]["role_id"] for role in (app, migrate)}


def ensure_tokens(client: hvac.Client, names: Names, period: str, keep: Mapping[str, str]) -> dict[str, str]:
    """Return one periodic orphan token for the deployer and one for the rotator, each with its own policy alone.

    A token in `keep` that is still alive is returned as it is.  `period` is how long one lives without being renewed.
    """
    tokens = {}
    for part in TOKEN_HOLDERS:
        role = names.of(part)
        client.adapter.post(
            f"/v1/auth/token/roles/{role}",
            json={
                "allowed_policies": [role],
                "orphan": True,
                "renewable": True,
                "token_period": period,
                "token_no_default_policy": True,
                "token_type": "service",
            },
        )
        tokens[part] = _alive(client, keep.get(part)) or _new_token(client, role)
    return tokens


def _alive(client: hvac.Client, token: str | None) -> str | None:
    if token is None:
        return None
    try:
        client.auth.token.lookup(token)
    except Forbidden:
        return None
    return token


def _new_token(client: hvac.Client, role: str) -> str:
    answer = client.auth.token.create(role_name=role, policies=[role], no_default_policy=True, display_name=role)
    token: str = answer["auth"]["client_token"]
    return token
