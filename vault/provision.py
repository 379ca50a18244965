"""Tells a Vault or OpenBao server everything Scriptorium needs; doing it again changes nothing that stands.

As a library: `provision(client, plan)`.  By hand: `python -m vault.provision --help`; the privileged token and the
manager's password come from files, because arguments and environments are readable by others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import requests
from hvac.exceptions import VaultError

from vault.client import connect
from vault.engines import Database, ensure_database, ensure_kv, ensure_transit
from vault.identities import Identities, ensure_approles, ensure_policies, ensure_tokens
from vault.keys import ensure_password, ensure_rings
from vault.names import Names


@dataclass(frozen=True)
class Plan:
    """Everything provisioning needs to know besides the server and a privileged token.

    `identity_period` is how long the deployer's and the rotator's tokens live without renewal.  `keep` holds tokens of
    theirs that may still be alive.  `bound_cidrs` limits from where the application may sign in.
    """

    database: Database
    names: Names = field(default_factory=Names)
    valkey_password: str | None = field(default=None, repr=False)
    bound_cidrs: Sequence[str] = ()
    identity_period: str = "24h"
    keep: Mapping[str, str] = field(default_factory=dict, repr=False)


def provision(client: hvac.Client, plan: Plan) -> Identities:
    """Bring the server to the plan and return the identities; raises hvac's error for the first thing refused."""
    ensure_policies(client, plan.names)
    ensure_kv(client, plan.names)
    ensure_transit(client, plan.names)
    ensure_rings(client, plan.names)
    ensure_password(client, plan.names, "valkey", plan.valkey_password)
    ensure_database(client, plan.names, plan.database)
    role_ids = ensure_approles(client, plan.names, plan.bound_cidrs)
    tokens = ensure_tokens(client, plan.names, plan.identity_period, plan.keep)
    return Identities(role_ids, tokens)


def write_private(path: Path, text: str) -> None:
    """Replace a file with text only its owner can read, at no moment readable by another or half written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def save(identities: Identities, folder: Path) -> None:
    """Write role ids and tokens, one file each, into a private folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for role, role_id in identities.role_ids.items():
        write_private(folder / f"{role}.role-id", role_id)
    for holder, token in identities.tokens.items():
        write_private(folder / f"{holder}.token", token)


def load_tokens(folder: Path) -> dict[str, str]:
    """Return the tokens an earlier `save` left in a folder, by holder."""
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in folder.glob("*.token")}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vault.provision", description=__doc__)
    add = parser.add_argument
    add("--address", required=True, help="URL of the server, e.g. https://vault:8200")
    add("--ca", type=Path, help="PEM file to verify the server with")
    add("--token-file", type=Path, required=True, help="file holding a privileged token")
    add("--out", type=Path, required=True, help="private folder for role ids and the two tokens")
    add("--name", default="scriptorium", help="prefix of every path and role")
    add("--kv-mount", default="kv")
    add("--database-host", required=True, help="PostgreSQL as the Vault server reaches it")
    add("--database-port", type=int, default=5432)
    add("--database-tls", default="verify-full", choices=("off", "require", "verify-ca", "verify-full"))
    add("--manager-password-file", type=Path, help="password of scriptorium_vault; replaced at once, needed once")
    add("--lasting-login", action="store_true", help="also the login for SCRIPTORIUM_DATABASE_LOGIN=static")
    add("--valkey-password-file", type=Path)
    add("--bound-cidr", action="append", default=[], help="network the application signs in from; may be repeated")
    add("--revoke-token", action="store_true", help="revoke the privileged token when done")
    return parser.parse_args(argv)


def _text(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8").strip()


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a command; 0 when everything stands, 1 with one sentence when not."""
    options = _arguments(argv)
    try:
        client = connect(options.address, _text(options.token_file), options.ca)
        database = Database(
            options.database_host,
            options.database_port,
            tls=options.database_tls,
            manager_password=_text(options.manager_password_file),
            lasting_login=options.lasting_login,
        )
        plan = Plan(
            database,
            Names(options.name, options.kv_mount),
            _text(options.valkey_password_file),
            options.bound_cidr,
            keep=load_tokens(options.out) if options.out.is_dir() else {},
        )
        save(provision(client, plan), options.out)
        if options.revoke_token:
            client.auth.token.revoke_self()
    except (VaultError, requests.RequestException, OSError) as error:
        print(f"Provisioning of {options.address} stopped: {error}", file=sys.stderr)
        return 1
    print(f"{options.address} is provisioned for {options.name!r}; identities are in {options.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
