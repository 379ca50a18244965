"""What programs hold for a person: sign-ins (token families) and API keys that stand, and ending a sign-in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.errors import NotFound
from app.ids import now
from app.rights.notices import announce
from app.tokens import queries
from app.tokens.jwt import FIRST_PARTY
from app.tokens.models import ApiKey, TokenFamily


async def sign_ins(db: AsyncConnection, person_id: UUID, epoch: int) -> list[Any]:
    """The sign-ins of programs that stand for a person, the newest first."""
    statement = (
        select(
            TokenFamily.id,
            TokenFamily.client_id,
            TokenFamily.device,
            TokenFamily.address,
            TokenFamily.created_at,
            TokenFamily.ends_at,
        )
        .where(*_standing(person_id, epoch))
        .order_by(TokenFamily.id.desc())
        .limit(200)
    )
    return list((await db.execute(statement)).all())


async def own_sign_ins(db: AsyncConnection, actor: Actor) -> list[Any]:
    """The programs that signed in with the actor's password and still hold tokens, the newest first."""
    return [row for row in await sign_ins(db, actor.person_id(), actor.epoch) if row.client_id == FIRST_PARTY]


async def end_own_sign_in(db: AsyncSession, actor: Actor, family_id: UUID) -> None:
    """Sign one of the actor's programs out; raises NotFound for one that is not theirs or has ended."""
    family = await db.scalar(select(TokenFamily).where(TokenFamily.id == family_id).with_for_update())
    if family is None or family.person_id != actor.person_id():
        raise NotFound
    if await db.scalar(queries.end_family(family_id, "ended by its owner")) is None:
        raise NotFound
    await announce(db, [family_id])
    await audit.record(db, actor, "token.revoked", ("token_family", family_id), {"why": "by its owner"})


async def end_other_sign_ins(db: AsyncSession, actor: Actor) -> None:
    """End every sign-in with the actor's password but the one that is used now."""
    statement = (
        update(TokenFamily)
        .where(
            TokenFamily.person_id == actor.person_id(),
            TokenFamily.client_id == FIRST_PARTY,
            TokenFamily.ended_at.is_(None),
            TokenFamily.id.is_distinct_from(actor.credential_id),
        )
        .values(ended_at=func.now(), ended_why="password changed")
        .returning(TokenFamily.id)
    )
    await announce(db, (await db.scalars(statement)).all())


async def count_sign_ins(db: AsyncSession, person_id: UUID, epoch: int) -> int:
    """How many sign-ins of programs carry this epoch and have neither ended nor run out."""
    return await db.scalar(select(func.count(TokenFamily.id)).where(*_standing(person_id, epoch))) or 0


async def count_keys(db: AsyncSession, person_id: UUID, epoch: int) -> int:
    """How many API keys carry this epoch and have neither been revoked nor run out."""
    statement = select(func.count(ApiKey.id)).where(
        ApiKey.person_id == person_id,
        ApiKey.epoch == epoch,
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > now(),
    )
    return await db.scalar(statement) or 0


async def end_sign_in(db: AsyncSession, actor: Actor, person_id: UUID, family_id: UUID) -> str:
    """End one sign-in of a person's program; returns the nonce under which the workers confirm, raises NotFound."""
    family = await db.scalar(select(TokenFamily).where(TokenFamily.id == family_id).with_for_update())
    if family is None or family.person_id != person_id:
        raise NotFound
    if await db.scalar(queries.end_family(family_id, "ended by an administrator")) is None:
        raise NotFound
    nonce = await announce(db, [family_id], confirm=True)
    await audit.record(db, actor, "token.revoked", ("token_family", family_id), {"why": "by an administrator"})
    return nonce


def _standing(person_id: UUID, epoch: int) -> tuple[ColumnElement[bool], ...]:
    return (
        TokenFamily.person_id == person_id,
        TokenFamily.epoch == epoch,
        TokenFamily.ended_at.is_(None),
        TokenFamily.ends_at > now(),
    )
