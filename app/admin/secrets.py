"""How every secret of this host stands, for the people who run it: names, versions and moments, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from app.errors import Conflict
from app.ids import now
from app.settings import Settings
from app.vault.errors import Invalid
from app.vault.snapshot import SecretSource, Turned, rings_of

DATABASE: Final = "database"
STATES: Final = {
    "healthy": "All secrets are held and can be renewed.",
    "degraded": "Something cannot be renewed now. Everything works on with what is held, until it ends.",
    "must_stop": "Something has ended that cannot be done without. Requests that need it are answered with 503.",
}


class SecretVersion(msgspec.Struct, frozen=True):
    """One usable version: published ones are accepted, the signing one is used; `in_use` counts passwords under it."""

    version: int
    state: str
    created: datetime
    used_from: datetime
    in_use: int | None = None


class SecretRing(msgspec.Struct, frozen=True):
    """A key with its usable versions, newest first, and how it turns: seconds until a new version is used, and how long
    the one before is accepted after that (a pepper for ever)."""

    name: str
    versions: list[SecretVersion]
    age_seconds: int
    activate_after: float
    grace: float | None
    next_change: datetime | None


class Lease(msgspec.Struct, frozen=True):
    """Something that ends unless it is renewed; `generation` counts database logins.

    A lasting login ends never; `renewal` is then the moment its password is changed.
    """

    name: str
    ends: datetime | None
    renewal: datetime
    seconds_left: int | None
    generation: int | None = None


class Trouble(msgspec.Struct, frozen=True):
    """What does not work now."""

    subject: str
    reason: str


class SecretEvent(msgspec.Struct, frozen=True):
    """Something that happened to a secret."""

    at: datetime
    kind: str
    subject: str
    facts: dict[str, str]


class SecretWorker(msgspec.Struct, frozen=True):
    """A worker, and whether it runs on the newest snapshot."""

    pid: int
    current: bool


class Secrets(msgspec.Struct, frozen=True):
    """How the secrets of this host stand; `rotatable` names those that can be rotated from here."""

    state: str
    since: datetime
    meaning: str
    troubles: list[Trouble]
    leases: list[Lease]
    rings: list[SecretRing]
    workers: list[SecretWorker]
    events: list[SecretEvent]
    rotatable: list[str]


def secrets_view(status: Mapping[str, Any], passwords: Mapping[str, int], settings: Settings) -> Secrets:
    """The broker's answer as people and programs see it; `passwords` by pepper version."""
    workers = [SecretWorker(one["pid"], one["seen"] >= status["generation"]) for one in status.get("workers", ())]
    return Secrets(
        status["state"],
        datetime.fromisoformat(status["since"]),
        STATES[status["state"]],
        [Trouble(one["subject"], one["reason"]) for one in status["troubles"]],
        [_lease("Vault token", status["token"]), _lease("database login", status["database"])],
        [_ring(name, ring, passwords if name == "pepper" else None) for name, ring in status["rings"].items()],
        workers,
        [_event(one) for one in status["events"]],
        rotatable(settings),
    )


async def rotate_now(source: SecretSource, name: str) -> Turned:
    """Rotate one secret and wait for every worker; raises Conflict saying what refuses it, or Unavailable."""
    try:
        return await source.rotate(name)
    except Invalid as error:
        raise Conflict(str(error), code="not_rotated") from None


def rotatable(settings: Settings) -> list[str]:
    """What can be rotated from the site: keys only where the rotator's token was given to it."""
    if settings.rotator_token_file is not None:
        return [*rings_of(settings), DATABASE]
    return [DATABASE] if settings.database_login == "dynamic" else []


def _lease(name: str, lease: Mapping[str, Any]) -> Lease:
    ends = datetime.fromisoformat(lease["ends"]) if lease["ends"] else None
    left = max(0, int((ends - now()).total_seconds())) if ends else None
    return Lease(name, ends, datetime.fromisoformat(lease["renewal"]), left, lease.get("generation"))


def _ring(name: str, ring: Mapping[str, Any], passwords: Mapping[str, int] | None) -> SecretRing:
    versions = [
        SecretVersion(
            one["version"],
            one["state"],
            datetime.fromisoformat(one["created"]),
            datetime.fromisoformat(one["signs_from"]),
            None if passwords is None else passwords.get(str(one["version"]), 0),
        )
        for one in ring["versions"]
    ]
    moment = now()
    age = int((moment - versions[0].created).total_seconds()) if versions else 0
    coming = min((one.used_from for one in versions if one.used_from > moment), default=None)
    grace = None if passwords is not None else ring["grace"]
    return SecretRing(name, versions, age, ring["activate_after"], grace, coming)


def _event(event: Mapping[str, Any]) -> SecretEvent:
    facts = {name: str(value) for name, value in event.items() if name not in ("at", "kind", "subject")}
    return SecretEvent(datetime.fromisoformat(event["at"]), event["kind"], event["subject"], facts)
