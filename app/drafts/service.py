"""Keeping drafts and finding them again.  Callers own the transaction; nothing here is worth an event in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.drafts import queries
from app.drafts.schemas import NEVER, DraftView, NewDraft, another, as_kept, moment_seen, text_of
from app.ids import now

MOST: Final = 50
"""Drafts one person may have; the oldest make room."""
MOST_OF_TEXT: Final = 5
"""Drafts of one text among them, so that looking into it often does not cost the drafts of others."""


async def keep(db: AsyncSession, actor: Actor, new: NewDraft) -> tuple[datetime, str]:
    """Keep what was typed in place of what was kept there before, or beside it when that is not what the page had
    seen: another window is writing there.  Returns when, and where."""
    person_id, moment, place, seen = actor.person_id(), now(), new.place, moment_seen(new.seen)
    if seen is not None:
        kept = await db.execute(queries.keep_seen(person_id, new, seen, moment))
        if kept.scalar_one_or_none() is not None:
            return moment, place
        place = another(place)
    await db.execute(queries.keep(person_id, place, new, moment))
    if text_place := text_of(place):
        await db.execute(queries.discard_oldest_of_text(person_id, text_place, MOST_OF_TEXT))
    await db.execute(queries.discard_oldest(person_id, MOST))
    return moment, place


async def of_text(db: AsyncConnection, actor: Actor, place: str) -> list[DraftView]:
    """The actor's newest drafts of the text with this place, the newest first."""
    found = await db.execute(queries.of_text(actor.person_id(), place, MOST_OF_TEXT))
    return [DraftView(*row) for row in found.all()]


async def drafts(db: AsyncConnection, actor: Actor) -> list[DraftView]:
    """All the actor's drafts, the newest first."""
    return [DraftView(*row) for row in (await db.execute(queries.drafts(actor.person_id()))).all()]


async def unfinished_entries(db: AsyncConnection, actor: Actor) -> list[DraftView]:
    """The actor's drafts of entries that were never published, the newest first."""
    return [DraftView(*row) for row in (await db.execute(queries.new_entries(actor.person_id()))).all()]


async def discard(db: AsyncSession, actor: Actor, place: str, shown: str = "") -> bool:
    """Forget the actor's draft for this place, which they do not want; False if another than the one they were shown has
    been kept there since, which nobody has looked at."""
    person_id, moment = actor.person_id(), moment_seen(shown)
    if moment is None:
        await db.execute(queries.discard(person_id, place))
    else:
        await db.execute(queries.discard_shown(person_id, place, moment))
    return (await db.execute(queries.kept(person_id, place))).scalar_one_or_none() is None


async def saved(db: AsyncSession, actor: Actor, place: str, typed: Mapping[str, str]) -> None:
    """Forget the actor's draft for this place, because this form was saved; not what another window has kept there."""
    seen = moment_seen(typed.get("seen", ""))
    if seen is None:
        await db.execute(queries.discard(actor.person_id(), place))
    elif seen != NEVER:
        await db.execute(queries.discard_seen(actor.person_id(), place, seen, as_kept(typed)))
