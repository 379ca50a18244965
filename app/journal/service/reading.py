"""Reading the journal: one entry, many, which months there are, and one's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.errors import Gone, NotFound
from app.journal import queries
from app.journal.schemas import Author, Chosen, EntryView, OwnEntry

WITHDRAWN = "This text was published here and has been withdrawn by those who published it."


EVERYTHING = Chosen()


async def entry(db: AsyncConnection | AsyncSession, entry_id: UUID) -> EntryView:
    """One entry; raises NotFound, or Gone for one that was withdrawn."""
    row = (await db.execute(queries.ENTRY_BY_ID, {"entry_id": entry_id})).first()
    if row is None:
        raise NotFound
    if row.withdrawn_at is not None:
        raise Gone(WITHDRAWN)
    return view(row)


async def entries(
    db: AsyncConnection,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    whole: bool = True,
    chosen: Chosen = EVERYTHING,
) -> list[EntryView]:
    """The chosen entries in the order asked for; without `whole` their bodies hold only the opening."""
    if after is None and chosen == EVERYTHING:
        prepared, values = queries.newest(limit, whole=whole)
        return [view(row) for row in await prepared.all(db, values)]
    statement = queries.entries(after=after, limit=limit, whole=whole, chosen=chosen)
    return [view(row) for row in (await db.execute(statement)).all()]


async def months(db: AsyncConnection) -> list[tuple[datetime, int]]:
    """The months in which entries were published, newest first, and how many."""
    return [(row.month, row.entries) for row in (await db.execute(queries.months())).all()]


async def tags(db: AsyncConnection, *, limit: int) -> list[tuple[str, int]]:
    """The tags that most entries have, and how many."""
    return [(row.tag, row.entries) for row in (await db.execute(queries.tags(limit))).all()]


async def count(db: AsyncConnection) -> int:
    """How many entries there are."""
    return await db.scalar(queries.count()) or 0


async def own(db: AsyncConnection | AsyncSession, actor: Actor, entry_id: UUID) -> OwnEntry:
    """One of the actor's entries, withdrawn or not; raises NotFound for somebody else's."""
    row = (await db.execute(queries.own(actor, entry_id))).first()
    if row is None:
        raise NotFound
    return OwnEntry(**_values(row), withdrawn_at=row.withdrawn_at)


async def own_entries(
    db: AsyncConnection, actor: Actor, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """The actor's entries without their texts, the last published first, withdrawn ones among them."""
    return list((await db.execute(queries.own_entries(actor, after=after, limit=limit))).all())


def view(row: Any) -> EntryView:
    """A row as readers see it."""
    return EntryView(**_values(row))


def _values(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "body": row.body,
        "author": Author(row.author_id, row.author_name),
        "published_at": row.published_at,
        "updated_at": row.updated_at,
        "version": row.version,
        "document_id": row.document_id,
        "tags": list(row.tags),
    }
