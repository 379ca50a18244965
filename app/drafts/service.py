"""Keeping drafts and finding them again.  Callers own the transaction; nothing here is worth an event in the trail."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.drafts import queries
from app.drafts.schemas import DraftView, NewDraft
from app.ids import now

MOST: Final = 50
"""Drafts one person may have; the oldest make room."""


async def keep(db: AsyncSession, actor: Actor, new: NewDraft) -> datetime:
    """Keep what was typed in place of what was kept there before; returns when."""
    moment = now()
    await db.execute(queries.keep(actor.person_id(), new, moment))
    await db.execute(queries.discard_oldest(actor.person_id(), MOST))
    return moment


async def of_text(db: AsyncConnection, actor: Actor, place: str) -> list[DraftView]:
    """The actor's drafts of the text with this place, the newest first."""
    return [DraftView(*row) for row in (await db.execute(queries.of_text(actor.person_id(), place))).all()]


async def drafts(db: AsyncConnection, actor: Actor) -> list[DraftView]:
    """All the actor's drafts, the newest first."""
    return [DraftView(*row) for row in (await db.execute(queries.drafts(actor.person_id()))).all()]


async def unfinished_entries(db: AsyncConnection, actor: Actor) -> list[DraftView]:
    """The actor's drafts of entries that were never published, the newest first."""
    return [DraftView(*row) for row in (await db.execute(queries.new_entries(actor.person_id()))).all()]


async def discard(db: AsyncSession, actor: Actor, place: str) -> None:
    """Forget the actor's draft for this place: it was saved, or they do not want it."""
    await db.execute(queries.discard(actor.person_id(), place))
