"""Writing and reading the journal.  Callers own the transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.errors import Gone, NotFound
from app.ids import new_id, now
from app.journal import queries
from app.journal.models import Entry
from app.journal.schemas import Author, Chosen, EntryView, NewEntry

WITHDRAWN = "This text was published here and has been withdrawn by those who published it."


EVERYTHING = Chosen()


async def write(db: AsyncSession, actor: Actor, new: NewEntry) -> UUID:
    """Publish an entry in the actor's own name; returns its id."""
    return await _publish(db, actor, new, author_id=actor.person_id(), document_id=None)


async def publish_document(
    db: AsyncSession, actor: Actor, new: NewEntry, *, author_id: UUID, document_id: UUID
) -> UUID:
    """Publish the text of a finished document under its writer's name; returns the entry's id."""
    return await _publish(db, actor, new, author_id=author_id, document_id=document_id)


async def _publish(db: AsyncSession, actor: Actor, new: NewEntry, *, author_id: UUID, document_id: UUID | None) -> UUID:
    entry_id, moment = new_id(), now()
    db.add(
        Entry(
            id=entry_id,
            title=new.title,
            body=new.body,
            author_id=author_id,
            published_at=moment,
            updated_at=moment,
            version=1,
            document_id=document_id,
        )
    )
    await db.flush()
    details = {"document": str(document_id)} if document_id else {}
    await audit.record(db, actor, "entry.published", ("entry", entry_id), details)
    return entry_id


async def publish_again(db: AsyncSession, actor: Actor, entry_id: UUID, new: NewEntry, *, author_id: UUID) -> None:
    """Bring a withdrawn entry back under its old address and date, with the text as it is now."""
    await db.execute(queries.publish_again(entry_id, new.title, new.body, author_id, now()))
    await audit.record(db, actor, "entry.published", ("entry", entry_id))


async def withdraw(db: AsyncSession, actor: Actor, entry_id: UUID) -> None:
    """Take an entry out of the journal; its readers are told so (Gone)."""
    await db.execute(queries.withdraw(entry_id, now()))
    await audit.record(db, actor, "entry.withdrawn", ("entry", entry_id))


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
    statement = queries.entries(after=after, limit=limit, whole=whole, chosen=chosen)
    return [view(row) for row in (await db.execute(statement)).all()]


async def months(db: AsyncConnection) -> list[tuple[datetime, int]]:
    """The months in which entries were published, newest first, and how many."""
    return [(row.month, row.entries) for row in (await db.execute(queries.months())).all()]


async def count(db: AsyncConnection) -> int:
    """How many entries there are."""
    return await db.scalar(queries.count()) or 0


def view(row: Any) -> EntryView:
    """A row as readers see it."""
    return EntryView(
        id=row.id,
        title=row.title,
        body=row.body,
        author=Author(row.author_id, row.author_name),
        published_at=row.published_at,
        updated_at=row.updated_at,
        version=row.version,
        document_id=row.document_id,
    )
