"""Brings a fresh Vault or OpenBao to the state Scriptorium needs: initialised, unsealed, provisioned, root revoked.

Runs at each `up` and does only what is still to be done; after a restart that is, for HashiCorp Vault, unsealing.
`python -m compose.bring_up hand-over` prints the owner's keys once and forgets them: they belong to people.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import hvac
import requests
from hvac.exceptions import Forbidden, VaultError

from vault import provision as provisioning
from vault.client import connect
from vault.engines import Database
from vault.unsealing import borrowed_root, initialise, unseal

PATIENCE_SECONDS: Final = 120.0
SHARES, THRESHOLD = 3, 2
IDENTITY_PERIOD: Final = "768h"
WAYS_OUT: Final = "docs/operations.md, under “When bringing Vault up was cut short”, says how to go on"


class BringUpError(Exception):
    """This cannot go on without a person; the message is one sentence for them."""


@dataclass(frozen=True)
class Place:
    """Where the server is, and the three private folders this works in."""

    address: str
    ca: Path | None
    owner: Path
    identities: Path
    bootstrap: Path

    @property
    def owner_keys(self) -> Path:
        """The shares that unseal or own the server, until they are handed over to people."""
        return self.owner / "owner.keys"

    @property
    def first_root(self) -> Path:
        """The root token of initialisation, for the seconds until provisioning has ended."""
        return self.owner / "root.first"

    @property
    def told(self) -> Path:
        """A digest of what the server was told."""
        return self.owner / "provisioned"

    def client(self, token: str | None = None) -> hvac.Client:
        """A client for the server."""
        return connect(self.address, token, self.ca)


def bring_up(place: Place, database: Database, cidrs: Sequence[str], patience: float = PATIENCE_SECONDS) -> str:
    """Do what is still to be done; returns a sentence saying what that was.  Raises BringUpError."""
    client = place.client()
    status = _await_answer(client, patience)
    if not status["initialized"]:
        _initialise(client, place, auto_unseal=status["type"] != "shamir")
    _await_active(client, place, patience)
    if place.told.exists() and not place.first_root.exists():
        return _standing(place)
    _provision(client, place, database, cidrs)
    return "The server is provisioned and its root token is revoked."


def _await_answer(client: hvac.Client, patience: float) -> dict[str, Any]:
    deadline = time.monotonic() + patience
    while True:
        try:
            status: dict[str, Any] = client.sys.read_seal_status()
        except (VaultError, requests.RequestException) as error:
            if time.monotonic() > deadline:
                raise BringUpError(
                    f"nothing answers at {client.url} ({type(error).__name__}); "
                    "start with --profile openbao or --profile vault"
                ) from None
            time.sleep(0.5)
        else:
            return status


def _initialise(client: hvac.Client, place: Place, *, auto_unseal: bool) -> None:
    if place.owner_keys.exists() or place.told.exists():
        raise BringUpError("the server is empty although it was initialised before: its volume is lost or a new one")
    made = initialise(client, auto_unseal=auto_unseal, shares=SHARES, threshold=THRESHOLD)
    provisioning.write_private(place.owner_keys, json.dumps(made.keys))
    provisioning.write_private(place.first_root, made.root_token)


def _await_active(client: hvac.Client, place: Place, patience: float) -> None:
    deadline = time.monotonic() + patience
    while (health := _health(client))["sealed"] or health["standby"]:
        if health["sealed"] and client.sys.read_seal_status()["type"] == "shamir":
            unseal(client, _shares(place))
        if time.monotonic() > deadline:
            raise BringUpError("the server stays sealed or finds no leader")
        time.sleep(0.3)


def _health(client: hvac.Client) -> dict[str, Any]:
    """How the server stands; it is asked to say so with 200 in every state, as 5xx would be waited out."""
    ok = requests.codes.ok
    health: dict[str, Any] = client.sys.read_health_status(
        standby_code=ok, sealed_code=ok, uninit_code=ok, method="GET"
    )
    return health


def _shares(place: Place) -> list[str]:
    """The shares at hand: those not yet handed over, or those the operator brought as the secret `unseal_keys`."""
    brought = place.bootstrap / "unseal.keys"
    if brought.exists():
        return brought.read_text("utf-8").split()
    if place.owner_keys.exists():
        shares: list[str] = json.loads(place.owner_keys.read_text("utf-8"))
        return shares
    raise BringUpError("the server is sealed; unseal it with its key shares, or bring them as the secret unseal_keys")


def _provision(client: hvac.Client, place: Place, database: Database, cidrs: Sequence[str]) -> None:
    plan = provisioning.Plan(
        Database(
            database.host,
            database.port,
            database.name,
            database.tls,
            manager_password=_text(place.bootstrap / "manager.password"),
            lasting_login=database.lasting_login,
        ),
        valkey_password=_text(place.bootstrap / "valkey.password"),
        bound_cidrs=cidrs,
        identity_period=IDENTITY_PERIOD,
        keep=provisioning.load_tokens(place.identities),
    )
    with _privileged(client, place) as root:
        _watch(root)
        provisioning.save(provisioning.provision(root, plan), place.identities)
        provisioning.write_private(place.told, fingerprint())
        for name in ("manager.password", "valkey.password"):
            (place.bootstrap / name).unlink(missing_ok=True)
        if place.first_root.exists():
            root.auth.token.revoke_self()
            place.first_root.unlink()


def _privileged(client: hvac.Client, place: Place) -> AbstractContextManager[hvac.Client]:
    if place.first_root.exists():
        return nullcontext(place.client(_text(place.first_root)))
    if place.owner_keys.exists():
        return borrowed_root(client, json.loads(place.owner_keys.read_text("utf-8"))[:THRESHOLD])
    raise BringUpError(f"the server is not provisioned and no privileged token is at hand; {WAYS_OUT}")


def _watch(root: hvac.Client) -> None:
    """Have every request written to the server's output, values as HMACs.  OpenBao was told in its configuration."""
    if root.sys.read_seal_status()["type"] == "shamir" and not root.sys.list_enabled_audit_devices()["data"]:
        root.sys.enable_audit_device("file", options={"file_path": "stdout"})


def _standing(place: Place) -> str:
    try:
        place.client(_text(place.identities / "deployer.token")).auth.token.renew_self()
    except (Forbidden, FileNotFoundError):
        raise BringUpError(f"the deployer's token has ended; {WAYS_OUT}") from None
    if place.told.read_text("utf-8") != fingerprint():
        return (
            "The server serves, but vault/ has changed since it was provisioned: see docs/operations.md, “Upgrading”."
        )
    return "The server is open and was provisioned before."


def fingerprint() -> str:
    """A digest of the files that decide what a server is told."""
    folder = Path(provisioning.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), *folder.glob("policies/*.hcl"), *folder.glob("sql/*.sql")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def hand_over(place: Place) -> str:
    """Give the owner's keys away and forget them; raises BringUpError when that was done before."""
    if not place.owner_keys.exists():
        raise BringUpError("the owner's keys are not here; they were handed over before")
    shares = json.loads(place.owner_keys.read_text("utf-8"))
    place.owner_keys.unlink()
    lines = [f"share {number} of {len(shares)}: {share}" for number, share in enumerate(shares, 1)]
    return "\n".join(
        [f"Any {min(THRESHOLD, len(shares))} of these own the server. They are kept nowhere else now.", *lines]
    )


def _text(path: Path) -> str | None:
    return path.read_text("utf-8").strip() if path.exists() else None


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m compose.bring_up", description=__doc__)
    add = parser.add_argument
    add("what", nargs="?", choices=("up", "hand-over"), default="up")
    add("--address", default="https://vault:8200")
    add("--ca", type=Path, default=Path("/run/trust/ca.pem"))
    add("--folders", type=Path, default=Path("/run/bring-up"), help="holds owner, identities and bootstrap")
    add("--database-host", default="postgres")
    add("--database-port", type=int, default=5432)
    add("--database-tls", default="verify-full")
    add("--lasting-login", action="store_true", help="also the login for SCRIPTORIUM_DATABASE_LOGIN=static")
    add("--bound-cidr", action="append", default=[])
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a command; 0 when everything stands, 1 with one sentence when not."""
    given = _arguments(argv)
    folders = given.folders
    place = Place(given.address, given.ca, folders / "owner", folders / "identities", folders / "bootstrap")
    try:
        if given.what == "hand-over":
            said = hand_over(place)
        else:
            database = Database(
                given.database_host,
                given.database_port,
                tls=given.database_tls,
                lasting_login=given.lasting_login,
            )
            said = bring_up(place, database, given.bound_cidr)
    except (BringUpError, VaultError, requests.RequestException, OSError) as error:
        sys.stderr.write(f"init: {error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
