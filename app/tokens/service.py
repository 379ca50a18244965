"""Tokens: granted at sign-in, refreshed in one atomic statement, ended by their owner, by reuse or with the person.

A refresh token is used once.  Its successor is HMAC-SHA-256 of it under a key from Vault, so a reply that was lost can
be answered again for `settings.refresh_grace` seconds with the *same* successor, without any token being stored.  A use
after that is theft or a bug, and ends the whole family (RFC 9700 4.14.2).
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import SCOPES, VISITOR, Actor
from app.access.actor import needs_of
from app.audit import service as audit
from app.errors import NotAuthenticated
from app.ids import new_id, now
from app.resources import Resources
from app.rights.facts import CredentialFacts, PersonFacts, person_facts
from app.rights.notices import announce
from app.settings import Settings
from app.tokens import queries
from app.tokens.jwt import FIRST_PARTY, TokenSigner
from app.tokens.models import RefreshToken, TokenFamily
from app.tokens.schemas import TokenPair
from app.vault.snapshot import KeyRing

PREFIX = "scr_rt_"
DEAD = "This refresh token is no longer good. Sign in again."


@dataclass(frozen=True)
class Tokens:
    """What the service needs to make and check tokens."""

    settings: Settings
    signer: TokenSigner
    refresh_ring: Callable[[], KeyRing]


def make_tokens(res: Resources) -> Tokens:
    """The signer over the current key rings; it forgets what it remembers whenever they change."""
    signer = TokenSigner(res.settings, lambda: res.secrets.snapshot.rings["token"])
    res.secrets.on_change(lambda snapshot: signer.forget())
    return Tokens(res.settings, signer, lambda: res.secrets.snapshot.rings["refresh"])


async def grant(
    db: AsyncSession, tokens: Tokens, actor: Actor, *, device: str, scopes: frozenset[str] | None = None
) -> TokenPair:
    """Start a family for a person who has just proved who they are; without `scopes` it carries all of them."""
    carried = frozenset(SCOPES) if scopes is None else scopes
    family_id, moment, token = new_id(), now(), PREFIX + secrets.token_urlsafe(32)
    db.add(
        TokenFamily(
            id=family_id,
            person_id=actor.person_id(),
            epoch=actor.epoch,
            client_id=FIRST_PARTY,
            scopes=sorted(carried),
            created_at=moment,
            ends_at=moment + timedelta(seconds=tokens.settings.refresh_token_life),
            device=device[:200],
            address=actor.address or "",
        )
    )
    await db.flush()
    db.add(RefreshToken(token_hash=_hash(token), family_id=family_id, issued_at=moment))
    await db.flush()
    await audit.record(db, actor, "token.granted", ("token_family", family_id), {"client_id": FIRST_PARTY})
    return _pair(tokens, actor.person_id(), family_id, actor.epoch, carried, FIRST_PARTY, token)


async def exchange(db: AsyncSession, tokens: Tokens, caller: Actor, token: str) -> TokenPair | NotAuthenticated:
    """Exchange a refresh token for the next pair.

    Returns, not raises, the refusal: when reuse ended the family, that must be committed with its audit row.
    """
    ring, moment, presented = tokens.refresh_ring(), now(), _hash(token)
    successor = _successor(ring.signing.value, token)
    used = await db.scalar(
        queries.EXCHANGE,
        {
            "presented": presented,
            "moment": moment,
            "with_version": ring.signing.version,
            "successor": _hash(successor),
        },
    )
    row = (await db.execute(queries.token(presented))).first()
    if row is None or row.ended_at is not None or row.ends_at <= moment or row.family_epoch != row.epoch:
        return NotAuthenticated(DEAD, code="refresh_token_dead")
    if used is None:
        grace = timedelta(seconds=tokens.settings.refresh_grace)
        key = ring.find(row.key_version) if row.key_version is not None else None
        if row.used_at is None or moment - row.used_at > grace or key is None:
            await _end(db, caller, row, "refresh token used again")
            return NotAuthenticated(DEAD, code="refresh_token_reused")
        successor = _successor(key.value, token)
    else:
        await audit.record(db, caller, "token.refreshed", ("token_family", row.family_id))
    return _pair(tokens, row.person_id, row.family_id, row.epoch, frozenset(row.scopes), row.client_id, successor)


async def revoke(db: AsyncSession, tokens: Tokens, caller: Actor, token: str) -> None:
    """End the family of a refresh or access token; a token we do not know is answered the same (RFC 7009 2.2)."""
    if token.startswith(PREFIX):
        row = (await db.execute(queries.token(_hash(token)))).first()
        if row is not None:
            await _end(db, caller, row, "revoked")
        return
    access = tokens.signer.verify(token)
    if access is not None:
        if await db.scalar(queries.end_family(access.family_id, "revoked")) is not None:
            await announce(db, [access.family_id])
            await audit.record(db, caller, "token.revoked", ("token_family", access.family_id))


async def look_up(db: AsyncConnection, family_id: UUID) -> tuple[CredentialFacts, PersonFacts] | None:
    """A token family that has not ended, and its person; None when there is none."""
    row = (await db.execute(queries.FAMILY_WITH_PERSON, {"family_id": family_id})).first()
    if row is None or row.ended_at is not None:
        return None
    family = CredentialFacts(
        "family",
        family_id,
        row.id,
        row.family_epoch,
        row.ends_at,
        scopes=frozenset(row.scopes),
        client_id=row.client_id,
    )
    person = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return family, person


def narrowed(actor: Actor, scopes: frozenset[str]) -> Actor:
    """The same actor with the scopes of one token, which may be fewer than its family's."""
    return replace(actor, scopes=scopes, provides=needs_of(actor.person_id(), actor.roles, actor.status, scopes))


async def _end(db: AsyncSession, caller: Actor, row: Any, why: str) -> None:
    if await db.scalar(queries.end_family(row.family_id, why)) is not None:
        await announce(db, [row.family_id])
        actor = caller if caller.signed_in else VISITOR
        await audit.record(db, actor, "token.revoked", ("token_family", row.family_id), {"why": why})


def _pair(
    tokens: Tokens, person_id: UUID, family_id: UUID, epoch: int, scopes: frozenset[str], client: str, refresh: str
) -> TokenPair:
    access = tokens.signer.issue(person_id=person_id, family_id=family_id, epoch=epoch, scopes=scopes, client_id=client)
    life = int(tokens.settings.access_token_life)
    return TokenPair(access, "Bearer", life, refresh, " ".join(sorted(scopes)))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _successor(key: bytes, token: str) -> str:
    digest = hmac.new(key, token.encode("utf-8", "surrogatepass"), sha256).digest()
    return PREFIX + urlsafe_b64encode(digest).rstrip(b"=").decode()
