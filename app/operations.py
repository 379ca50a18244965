"""What operators do to a running instance, from outside its web server: over the broker's socket and the database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from app import demo
from app.access import SYSTEM
from app.accounts import service as accounts
from app.accounts.peppers import passwords_by_pepper
from app.accounts.schemas import SignUp
from app.accounts.service import Decision
from app.audit import verifying
from app.audit.signing import KEY
from app.audit.verdict import Report
from app.database import Database
from app.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from app.mail import service as mail
from app.mail.service import Postbox
from app.passwords import PasswordHasher, objections
from app.settings import Settings
from app.vault.errors import VaultStartError
from app.vault.snapshot import DatabaseLogin
from app.vault.subscriber import Subscriber
from app.web.shapes import build

FRACTION = re.compile(r"\.\d+\+00:00")  # people read whole seconds
PATIENCE = 3.0  # seconds to look for an instance


class NotRunning(DomainError):
    """There is no instance to work on."""

    status = 503


def _quietly(line: str) -> None:
    """Operators are told once, when the wait is over."""


class AdminMade(msgspec.Struct, frozen=True):
    """An administrator; `made` says whether the account is new."""

    id: UUID
    email: str
    made: bool


class Outcome(msgspec.Struct, frozen=True):
    """What became of somebody's account."""

    id: UUID
    email: str
    status: str


class Status(msgspec.Struct, frozen=True):
    """How an instance stands; the same facts as `/admin/secrets`, and how many people there are."""

    url: str
    secrets: str
    secrets_since: str
    database_login_seconds_left: int | None
    key_versions: dict[str, list[str]]
    people: dict[str, int]
    mail: dict[str, int]
    leases: dict[str, Any]
    rings: dict[str, Any]
    passwords_by_pepper: dict[str, int]
    troubles: list[dict[str, str]]
    workers: list[dict[str, int]]
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Workshop:
    """What an operation works with."""

    database: Database
    passwords: PasswordHasher
    source: Subscriber


@asynccontextmanager
async def attached(settings: Settings) -> AsyncIterator[Workshop]:
    """Attach to the running instance; raises NotRunning when there is none."""
    source = Subscriber(settings.secrets_socket, wait=PATIENCE, role="tool", say=_quietly)
    try:
        await source.start()
    except VaultStartError:
        raise NotRunning(
            f"no running instance found with its state in {settings.state}.  Start it with `make run`, "
            "or name another one with SCRIPTORIUM_STATE"
        ) from None
    database = Database(settings, source, application_name="scriptorium-operator")
    passwords = PasswordHasher(lambda: source.snapshot.rings["pepper"])
    try:
        yield Workshop(database, passwords, source)
    finally:
        passwords.close()
        await database.stop()
        await source.stop()


async def create_admin(settings: Settings, email: str, display_name: str, password: str) -> AdminMade:
    """Make an administrator; raises Invalid, and Conflict for one who is there already."""
    given = {"email": email, "display_name": display_name, "password": password, "role": "member"}
    asked, errors = build(SignUp, given)
    if asked is None:
        raise Invalid(errors)
    wrong = objections(password, email=asked.email, display_name=asked.display_name)
    if wrong:
        raise Invalid({"password": wrong})
    async with attached(settings) as shop:
        hashed = await shop.passwords.hash(password)
        async with shop.database.transaction() as db:
            person_id, made = await accounts.make_admin(db, asked.email, asked.display_name, hashed)
    return AdminMade(person_id, asked.email, made)


async def status(settings: Settings) -> Status:
    """How the instance stands; never a secret, only versions and times."""
    async with attached(settings) as shop:
        async with shop.database.read() as db:
            people = await accounts.counts(db)
            passwords = await passwords_by_pepper(db)
            letters = await mail.counts(db)
        told, snapshot = await shop.source.status(), shop.source.snapshot
        return Status(
            url=settings.public_url,
            secrets=snapshot.state,
            secrets_since=snapshot.since.isoformat(),
            database_login_seconds_left=_seconds_left(snapshot.login),
            key_versions={
                name: [f"{key.version} {key.state}" for key in ring.keys] for name, ring in snapshot.rings.items()
            },
            people=people,
            mail=letters,
            leases={"vault_token": told["token"], "database_login": told["database"]},
            rings=told["rings"],
            passwords_by_pepper=passwords,
            troubles=told["troubles"],
            workers=told["workers"],
            events=told["events"],
        )


def in_words(found: Status) -> str:
    """A status as a person reads it, one fact on a line."""
    behind = sum(1 for worker in found.workers if not worker["seen"])
    lines = [
        f"url: {found.url}",
        f"secrets: {found.secrets} since {found.secrets_since}",
        *(f"trouble: {one['subject']}: {one['reason']}" for one in found.troubles),
        _about_login(found),
        f"vault token ends {found.leases['vault_token']['ends']}, renewal {found.leases['vault_token']['renewal']}",
        *(f"{name} key: {', '.join(versions) or 'none'}" for name, versions in found.key_versions.items()),
        *(f"passwords under pepper {version}: {count}" for version, count in sorted(found.passwords_by_pepper.items())),
        f"workers: {len(found.workers)}" + (f", {behind} without secrets" if behind else ""),
        *(f"people {status}: {count}" for status, count in sorted(found.people.items())),
        *(f"mail {what.replace('_', ' ')}: {count}" for what, count in found.mail.items() if count),
        *(f"{one['at']} {one['subject']} {one['kind']}" for one in found.events[:10]),
    ]
    return "\n".join(FRACTION.sub("Z", line) for line in lines)


def _seconds_left(login: DatabaseLogin) -> int | None:
    return None if login.valid_until is None else int(login.seconds_left())


def _about_login(found: Status) -> str:
    renewal = found.leases["database_login"]["renewal"]
    if found.database_login_seconds_left is None:
        return f"database login: lasting, its password is changed {renewal}"
    return f"database login seconds left: {found.database_login_seconds_left}, renewal {renewal}"


async def verify_audit(settings: Settings, copies: Sequence[Path], progress: verifying.Progress) -> Report:
    """Verify the audit trail against these copies of its seals, by default the one this host keeps.

    Raises NotRunning also when Vault does not give out the keys that check the signatures: half a verification is none.
    """
    async with attached(settings) as shop:
        try:
            keys = await shop.source.public_keys(KEY)
        except Unavailable as error:
            raise NotRunning(f"the signatures cannot be checked: {error.detail}") from None
        return await verifying.verify(shop.database, keys, copies or [settings.audit_copy], progress)


async def decide_about(settings: Settings, email: str, decision: Decision) -> Outcome:
    """Suspend or reinstate somebody from the server's own command line; raises NotFound and Conflict."""
    async with attached(settings) as shop, shop.database.transaction() as db:
        person_id = await accounts.person_with(db, email)
        decided = await accounts.decide(db, SYSTEM, person_id, decision)
        postbox = Postbox(settings, lambda: shop.source.snapshot)
        await postbox.put(db, decision.verb, accounts.told(decided, decision))
    return Outcome(decided.person_id, email, decided.status)


async def make_demo(settings: Settings) -> list[demo.Demo]:
    """Fill an empty instance, or give the people of a demonstration made before new passwords.

    Raises Conflict when other people are there already.
    """
    async with attached(settings) as shop:
        people = demo.cast()
        hashes = {person.email: await shop.passwords.hash(person.password) for person in people}
        async with shop.database.read() as db:
            empty = not await accounts.counts(db)
        if empty:
            await demo.fill(shop.database, people, hashes)
            return people
        try:
            async with shop.database.transaction() as db:
                for person in people:
                    await accounts.set_password(db, person.email, hashes[person.email])
        except NotFound:
            raise Conflict("this instance has people already; the demonstration wants an empty one") from None
        return people
