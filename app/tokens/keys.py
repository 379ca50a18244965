"""API keys: made once, shown once, recognised by hash, ended by their owner or with their owner's rights.

A key is `scr_`, 40 random base-62 characters (238 bits), and six that check the rest, so that secret scanners can tell
a real key from a word and a mistyped one costs no query.  A key never does more than its owner may do now: it carries
scopes, and every route asks for the owner's present roles as well.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.errors import Conflict, Invalid, NotFound
from app.ids import new_id, now
from app.rights.facts import CredentialFacts, PersonFacts, person_facts
from app.rights.notices import announce
from app.settings import Settings
from app.tokens import queries
from app.tokens.models import ApiKey
from app.tokens.schemas import KeyView, NewKey

PREFIX: Final = "scr_"
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 40, 6
LENGTH: Final = len(PREFIX) + _RANDOM + _CHECK
MOST: Final = 100


def make_key() -> str:
    """A new key."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return PREFIX + random + _checksum(random)


def well_formed(key: str) -> bool:
    """Whether this could be a key of ours: prefix, length and checksum are right."""
    random = key[len(PREFIX) : -_CHECK]
    return len(key) == LENGTH and key.isascii() and key.startswith(PREFIX) and key[-_CHECK:] == _checksum(random)


def key_hash(key: str) -> bytes:
    """How a key is stored and looked up."""
    return sha256(key.encode()).digest()


async def create(db: AsyncSession, actor: Actor, settings: Settings, new: NewKey) -> tuple[KeyView, str]:
    """Make a key for the actor; returns what may be shown of it and the key itself, this once.

    Raises Invalid for scopes the caller does not have, an end in the past or more than a key may live, and networks
    that are none; Conflict for more than `MOST` live keys.
    """
    expires_at = _end(new.expires_at, settings)
    _check_scopes(actor, new.scopes)
    networks = _networks(new.networks)
    if (await db.scalar(queries.count_keys(actor.person_id(), now())) or 0) >= MOST:
        raise Conflict(f"You have {MOST} keys already. Revoke one first.", code="too_many_keys")
    key, moment = make_key(), now()
    row = ApiKey(
        id=new_id(),
        key_hash=key_hash(key),
        hint=key[: len(PREFIX) + 4],
        person_id=actor.person_id(),
        epoch=actor.epoch,
        name=new.name,
        scopes=sorted(set(new.scopes)),
        networks=networks,
        created_at=moment,
        expires_at=expires_at,
    )
    db.add(row)
    await db.flush()
    details = {"name": new.name, "scopes": row.scopes, "expires_at": expires_at.isoformat()}
    await audit.record(db, actor, "key.created", ("key", row.id), details)
    return key_view(row), key


async def keys_of(db: AsyncConnection, actor: Actor) -> list[KeyView]:
    """The caller's keys that have not been revoked, newest first."""
    return [key_view(row) for row in (await db.execute(queries.keys_of(actor.person_id(), actor.epoch))).all()]


async def revoke(db: AsyncSession, actor: Actor, key_id: UUID) -> None:
    """End one of the caller's keys; raises NotFound for one that is not theirs or has ended."""
    if await db.scalar(queries.revoke_key(key_id, actor.person_id(), now())) is None:
        raise NotFound
    await announce(db, [key_id])
    await audit.record(db, actor, "key.revoked", ("key", key_id))


async def look_up(db: AsyncConnection, presented: bytes) -> tuple[CredentialFacts, PersonFacts] | None:
    """A key that has not been revoked, and its person; None when there is none."""
    row = (await db.execute(queries.KEY_WITH_PERSON, {"key_hash": presented})).first()
    if row is None or row.revoked_at is not None:
        return None
    key = CredentialFacts(
        "key",
        row.key_id,
        row.id,
        row.key_epoch,
        row.expires_at,
        scopes=frozenset(row.scopes),
        networks=tuple(row.networks),
    )
    person = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return key, person


def may_come_from(networks: Sequence[Any], address: str | None) -> bool:
    """Whether an address lies in one of the networks; no networks at all means anywhere."""
    if not networks:
        return True
    try:
        caller = ip_address(address or "")
    except ValueError:
        return False
    return any(caller in ip_network(str(network)) for network in networks)


def key_view(row: Any) -> KeyView:
    """A key as its owner sees it; never the key itself."""
    return KeyView(
        row.id,
        row.name,
        row.hint,
        list(row.scopes),
        list(row.networks),
        row.created_at,
        row.expires_at,
        row.last_used_at,
    )


def _checksum(random: str) -> str:
    number, digits = crc32(random.encode("ascii", "replace")), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def _end(wanted: datetime | None, settings: Settings) -> datetime:
    moment = now()
    if wanted is None:
        return moment + timedelta(seconds=settings.key_life)
    if wanted <= moment:
        raise Invalid({"expires_at": ["Choose a moment in the future."]})
    if wanted > moment + timedelta(seconds=settings.key_life_most):
        days = int(settings.key_life_most // 86400)
        raise Invalid({"expires_at": [f"A key lives {days} days at most."]})
    return wanted


def _check_scopes(actor: Actor, scopes: Sequence[str]) -> None:
    """A key made with a token cannot carry more than the token does."""
    if actor.scopes is not None and not set(scopes) <= actor.scopes:
        raise Invalid({"scopes": ["The credential you are using does not carry all of these."]})


def _networks(texts: Sequence[str]) -> list[str]:
    try:
        return [str(ip_network(text.strip(), strict=False)) for text in texts if text.strip()]
    except ValueError:
        raise Invalid({"networks": ["Give networks such as 203.0.113.0/24 or 2001:db8::/32."]}) from None
