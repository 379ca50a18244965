"""Tokens: granted at sign-in, refreshed in one atomic statement, ended by their owner, by reuse or with the person.

A refresh token is used once.  Its successor is HMAC-SHA-256 of it under a key from Vault, so a reply that was lost can
be answered again for `settings.refresh_grace` seconds with the *same* successor, without any token being stored.  A use
after that is theft or a bug, and ends the whole family (RFC 9700 4.14.2).
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from msgspec.structs import replace
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
from app.tokens.signing import InMemory, InVault
from app.vault.snapshot import KeyRing

PREFIX = "scr_rt_"
KEPT = timedelta(days=30)
DEAD = "This refresh token is no longer good. Sign in again."


FIRST_PARTY_SCOPES = frozenset(SCOPES) - {"openid", "email", "profile"}


@dataclass(frozen=True)
class Granted:
    """A new family and its first tokens."""

    family_id: UUID
    pair: TokenPair


@dataclass(frozen=True)
class Tokens:
    """What the service needs to make and check tokens."""

    settings: Settings
    signer: TokenSigner
    refresh_ring: Callable[[], KeyRing]


def make_tokens(res: Resources) -> Tokens:
    """The signer over the current key rings; it forgets what it remembers whenever they change."""
    signing = InVault(res.secrets) if res.settings.jwt_signer == "vault" else InMemory()
    signer = TokenSigner(res.settings, lambda: res.secrets.snapshot.rings["token"], signing)
    res.secrets.on_change(lambda _: signer.forget())
    return Tokens(res.settings, signer, lambda: res.secrets.snapshot.rings["refresh"])


async def grant(
    db: AsyncSession,
    tokens: Tokens,
    actor: Actor,
    *,
    device: str,
    scopes: frozenset[str] = FIRST_PARTY_SCOPES,
    client_id: str = FIRST_PARTY,
    lasting: bool = True,
    subject: UUID | None = None,
) -> Granted:
    """Start a family for a person who has just proved who they are, or agreed to a client.

    Without `lasting` there is no refresh token and the family ends with its one access token.  `subject` is who the
    token speaks of when that is not the person (RFC 9068 2.2: a client acting for itself).
    """
    family_id, moment = new_id(), now()
    life = tokens.settings.refresh_token_life if lasting else tokens.settings.access_token_life
    db.add(
        TokenFamily(
            id=family_id,
            person_id=actor.person_id(),
            epoch=actor.epoch,
            client_id=client_id,
            scopes=sorted(scopes),
            created_at=moment,
            ends_at=moment + timedelta(seconds=life),
            device=device[:200],
            address=actor.address or "",
        )
    )
    await db.flush()
    token = PREFIX + secrets.token_urlsafe(32) if lasting else ""
    if lasting:
        db.add(RefreshToken(token_hash=_hash(token), family_id=family_id, issued_at=moment))
        await db.flush()
    await audit.record(db, actor, "token.granted", ("token_family", family_id), {"client_id": client_id})
    subject = actor.person_id() if subject is None else subject
    return Granted(family_id, await _pair(tokens, subject, family_id, actor.epoch, scopes, client_id, token))


async def exchange(
    db: AsyncSession,
    tokens: Tokens,
    caller: Actor,
    token: str,
    *,
    client_id: str = FIRST_PARTY,
    scopes: frozenset[str] | None = None,
) -> TokenPair | NotAuthenticated:
    """Exchange a refresh token that belongs to `client_id` for the next pair, with those of `scopes` it carries.

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
            "client_id": client_id,
        },
    )
    row = (await db.execute(queries.token(presented))).first()
    if row is None or row.client_id != client_id:
        return NotAuthenticated(DEAD, code="refresh_token_dead")
    if row.ended_at is not None or row.ends_at <= moment or row.family_epoch != row.epoch:
        return NotAuthenticated(DEAD, code="refresh_token_dead")
    if used is None:
        grace = timedelta(seconds=tokens.settings.refresh_grace)
        key = ring.find(row.key_version) if row.key_version is not None else None
        if row.used_at is None or moment - row.used_at > grace or key is None:
            await _end(db, caller, row, "refresh token used again")
            return NotAuthenticated(DEAD, code="refresh_token_reused")
        successor = _successor(key.value, token)
    else:
        person = replace(caller, id=row.person_id, auth_type="refresh_token")
        await audit.record(db, person, "token.refreshed", ("token_family", row.family_id))
    granted = frozenset(row.scopes) if scopes is None else frozenset(row.scopes) & scopes
    return await _pair(tokens, row.person_id, row.family_id, row.epoch, granted, row.client_id, successor)


async def revoke(db: AsyncSession, tokens: Tokens, caller: Actor, token: str, *, client_id: str | None = None) -> None:
    """End the family of a refresh or access token; a token we do not know is answered the same (RFC 7009 2.2).

    With `client_id`, tokens of other clients are as good as unknown.
    """
    if token.startswith(PREFIX):
        row = (await db.execute(queries.token(_hash(token)))).first()
        if row is not None and client_id in (None, row.client_id):
            await _end(db, caller, row, "revoked")
        return
    access = tokens.signer.verify(token)
    if access is None or client_id not in (None, access.client_id):
        return
    if await db.scalar(queries.end_family(access.family_id, "revoked")) is not None:
        await announce(db, [access.family_id])
        await audit.record(db, caller, "token.revoked", ("token_family", access.family_id))


async def inspect(db: AsyncConnection, tokens: Tokens, token: str, client_id: str) -> Mapping[str, Any] | None:
    """What RFC 7662 tells a client of a live token that was given to it; None for every other."""
    if token.startswith(PREFIX):
        row = (await db.execute(queries.token(_hash(token)))).first()
        dead = row is None or row.used_at is not None or row.ended_at is not None or row.family_epoch != row.epoch
        if row is None or dead or row.client_id != client_id or row.ends_at <= now():
            return None
        return {
            "active": True,
            "client_id": row.client_id,
            "scope": " ".join(row.scopes),
            "sub": str(row.person_id),
            "exp": int(row.ends_at.timestamp()),
            "token_type": "refresh_token",
        }
    access = tokens.signer.verify(token)
    if access is None or access.client_id != client_id:
        return None
    found = await look_up(db, access.family_id)
    if found is None or found[0].epoch != found[1].epoch or found[1].status_at(now()) != "active":
        return None
    return {
        "active": True,
        "client_id": access.client_id,
        "scope": " ".join(sorted(access.scopes)),
        "sub": str(access.person_id),
        "exp": int(access.expires_at),
        "iat": int(access.issued_at),
        "iss": tokens.settings.public_url,
        "aud": tokens.settings.public_url,
        "jti": access.token_id,
        "token_type": "Bearer",
    }


async def grants_of(db: AsyncConnection, actor: Actor) -> list[Any]:
    """The programs that hold tokens for the actor, newest first."""
    return list((await db.execute(queries.grants_of(actor.person_id(), actor.epoch, now()))).all())


async def end_client(db: AsyncSession, actor: Actor, client_id: str) -> int:
    """Disconnect one client from the actor: every token it holds ends.  Returns how many grants there were."""
    ended = (await db.scalars(queries.end_families(actor.person_id(), client_id, "disconnected"))).all()
    await announce(db, ended)
    await audit.record(db, actor, "grant.revoked", ("oauth_client", client_id), {"families": len(ended)})
    return len(ended)


async def end_client_everywhere(db: AsyncSession, client_id: str) -> int:
    """End every token of a client that is no more; returns how many grants there were."""
    ended = (await db.scalars(queries.end_client(client_id))).all()
    await announce(db, ended)
    return len(ended)


async def end_family(db: AsyncSession, family_id: UUID, why: str) -> None:
    """End one family, whoever's it is; for code replay (RFC 6749 4.1.2)."""
    if await db.scalar(queries.end_family(family_id, why)) is not None:
        await announce(db, [family_id])


async def forget_old(db: AsyncSession) -> None:
    """Throw away families that ran out a month ago."""
    await db.execute(queries.forget_families(now() - KEPT))


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


async def _pair(
    tokens: Tokens, person_id: UUID, family_id: UUID, epoch: int, scopes: frozenset[str], client: str, refresh: str
) -> TokenPair:
    access = await tokens.signer.issue(
        person_id=person_id, family_id=family_id, epoch=epoch, scopes=scopes, client_id=client
    )
    life = int(tokens.settings.access_token_life)
    return TokenPair(access, "Bearer", life, refresh, " ".join(sorted(scopes)))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _successor(key: bytes, token: str) -> str:
    digest = hmac.new(key, token.encode("utf-8", "surrogatepass"), sha256).digest()
    return PREFIX + urlsafe_b64encode(digest).rstrip(b"=").decode()
