"""Rotating secrets of a running instance, as an operator: under the rotator's identity, done when all follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import text

from app import operations
from app.access.actor import SYSTEM
from app.audit import service as audit
from app.errors import Invalid, Unavailable
from app.ids import now
from app.mail import service as mail
from app.operations import Workshop
from app.settings import Settings
from app.vault import errors
from app.vault.errors import VaultError
from app.vault.keyring import FOREVER
from app.vault.rotating import Rotator, read_token
from app.vault.snapshot import PERSONAL, RING_FIELDS, KeyRing, Turned, rings_of
from app.vault.turning import DATABASE

SECRETS: Final = (*RING_FIELDS, DATABASE)
ALL: Final = "all"
END_SESSIONS: Final = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE usename = session_user AND pid <> pg_backend_pid() AND backend_start < :changed"
)
OPERATOR: Final = replace(SYSTEM, auth_type="command", display_name="Operator")
# What ends when old versions are destroyed; a pepper's never are, because every password made under it would be lost.
CONSEQUENCES: Final = {
    "session": "everybody is signed out of their browsers",
    "csrf": "forms that are open must be loaded again",
    "token": "access tokens are refused, programs must refresh them",
    "refresh": "refresh tokens are refused, programs must sign in again",
    "personal": "nothing ends: mail that waits is sealed anew first",
    "pepper": "nothing ends: old peppers are kept, because every password made under them would be lost",
    DATABASE: "work in the database is interrupted on all hosts; what was not answered was not done",
}


class Rotated(msgspec.Struct, frozen=True):
    """One secret after its rotation: its newest version (for the database the login's generation), since when or from
    when it is used, and which older versions were destroyed."""

    secret: str
    version: int
    used_from: str
    destroyed: list[int]


class Rotation(msgspec.Struct, frozen=True):
    """What a rotation came to, and how many workers confirmed that they accept it."""

    rotated: list[Rotated]
    workers: int


@dataclass(frozen=True)
class Order:
    """What is to be rotated, and whether the old is to be void at once."""

    secrets: Sequence[str]
    emergency: bool = False

    @property
    def rings(self) -> list[str]:
        return [name for name in self.secrets if name in RING_FIELDS]


def order(what: str, *, emergency: bool) -> Order:
    """The secrets a word stands for."""
    return Order(SECRETS if what == ALL else (what,), emergency)


def consequences(wanted: Order) -> str:
    """What an emergency rotation ends, in words."""
    return "; ".join(CONSEQUENCES[name] for name in wanted.secrets)


async def rotate(settings: Settings, wanted: Order, token_file: Path | None) -> Rotation:
    """Rotate, and return once every worker accepts the new versions; raises Invalid, NotRunning, Unavailable."""
    file = token_file or settings.rotator_token_file
    wanted = _held(settings, wanted)
    async with operations.attached(settings) as shop:
        lasting = DATABASE in wanted.secrets and settings.database_login == "static"
        login: Turned | None = None
        versions: dict[str, int] = {}
        destroyed: dict[str, list[int]] = {}
        try:
            if wanted.rings or wanted.emergency or lasting:
                async with Rotator(settings, _token(file)) as rotator:
                    for name in wanted.rings:
                        versions[name] = await rotator.forward(name)
                    if wanted.emergency:
                        await _seal_letters_anew(shop, versions)
                        destroyed = await _withdraw(rotator, versions)
                        if DATABASE in wanted.secrets and not lasting:
                            await rotator.end_database_logins()
                    if lasting:
                        login = await _turn_lasting_login(shop, rotator, ends_sessions=wanted.emergency)
        except errors.Invalid as error:
            raise Invalid({"secrets": [str(error)]}) from None
        except VaultError as error:
            raise Unavailable(f"Not everything was rotated: {error}", code="secrets_unavailable") from None
        if DATABASE in wanted.secrets and not lasting:
            login = await shop.source.rotate(DATABASE)
        withdrawn = {name: versions[name] for name, gone in destroyed.items() if gone}
        turned = await shop.source.take_up(versions, withdrawn)
        rotated = _rotated(shop.source.snapshot.rings, versions, destroyed, login)
        async with shop.database.transaction() as db:
            for one in rotated:
                details = {"version": one.version, "emergency": wanted.emergency, "destroyed": one.destroyed}
                await audit.record(db, OPERATOR, "secrets.rotated", ("secret", one.secret), details)
    return Rotation(rotated, turned.workers)


def _held(settings: Settings, wanted: Order) -> Order:
    """What of it there is here; raises Invalid when that is nothing."""
    held = (*rings_of(settings), DATABASE)
    if not set(wanted.secrets) & set(held):
        raise Invalid({"secrets": ["No mail server is set, so nothing personal is sealed and there is no such key."]})
    return Order([name for name in wanted.secrets if name in held], wanted.emergency)


async def _seal_letters_anew(shop: Workshop, versions: Mapping[str, int]) -> None:
    """Seal what waits with the newest key before the older ones are destroyed."""
    if PERSONAL not in versions:
        return
    await shop.source.take_up({PERSONAL: versions[PERSONAL]}, {})
    ring = shop.source.snapshot.rings[PERSONAL]
    async with shop.database.transaction() as db:
        while await mail.seal_anew(db, ring, ring.keys[0]):
            pass


async def _turn_lasting_login(shop: Workshop, rotator: Rotator, *, ends_sessions: bool) -> Turned:
    """Change the password of the lasting login; sessions begun under the old one go on unless they are ended, too."""
    async with shop.database.read() as connection:  # opened before the password changes
        await rotator.turn_lasting_login()
        changed = await connection.scalar(text("SELECT clock_timestamp()"))
    login = await shop.source.follow_login()
    if ends_sessions:
        async with shop.database.transaction() as db:
            await db.execute(text("SET LOCAL ROLE NONE"))  # the group has no power over the login's sessions
            await db.execute(END_SESSIONS, {"changed": changed})
    return login


def _token(file: Path | None) -> str:
    if file is None:
        raise errors.Invalid("name the file with the rotator's token: --token-file or SCRIPTORIUM_ROTATOR_TOKEN_FILE")
    return read_token(file)


async def _withdraw(rotator: Rotator, versions: Mapping[str, int]) -> dict[str, list[int]]:
    return {
        name: await rotator.withdraw_before(name, version) for name, version in versions.items() if name not in FOREVER
    }


def _rotated(
    rings: Mapping[str, KeyRing],
    versions: Mapping[str, int],
    destroyed: Mapping[str, Sequence[int]],
    login: Turned | None,
) -> list[Rotated]:
    moment = now()
    done = []
    for name, version in versions.items():
        key = rings[name].find(version)
        # Somebody may have withdrawn it meanwhile; then it is not used at all.
        used = "" if key is None else (moment if key.state == "signing" else key.signs_from).isoformat()
        done.append(Rotated(name, version, used, list(destroyed.get(name, ()))))
    if login is not None and login.login is not None:
        done.append(Rotated(DATABASE, login.login, moment.isoformat(), []))
    return done
