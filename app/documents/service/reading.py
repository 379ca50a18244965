"""Reading documents: one, many, how many, what is late, and what happened to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.documents import due, queries
from app.documents.life import Part
from app.documents.models import DocumentVersion
from app.documents.schemas import Chosen, DocumentRow, DocumentView, StepRow
from app.errors import NotFound
from app.ids import now
from app.versions import keeping
from app.versions.schemas import VersionRow

After = tuple[datetime, UUID] | None


async def document(db: AsyncConnection | AsyncSession, actor: Actor, document_id: UUID) -> DocumentView:
    """One document; raises NotFound for one that does not exist or is not the actor's to see."""
    statement, values = queries.document(actor, document_id)
    row = await statement.first(db, values)
    if row is None:
        raise NotFound
    return DocumentView(*row)


async def documents(
    db: AsyncConnection,
    actor: Actor,
    *,
    part: Part | None,
    after: After,
    limit: int,
    state: str | None = None,
    chosen: Chosen | None = None,
) -> list[DocumentRow]:
    """Documents the actor may see, last changed first unless `chosen` says otherwise; with `part`, those in which they
    have it."""
    chosen = chosen or Chosen(state)
    if part is None and after is None and chosen == Chosen():
        prepared, values = queries.newest(actor, limit)
        return [DocumentRow(*row) for row in await prepared.all(db, values)]
    where = queries.visible_to(actor) if part is None else queries.in_part(actor, part)
    statement = queries.documents(where, chosen=chosen, after=after, limit=limit)
    return [DocumentRow(*row) for row in (await db.execute(statement)).all()]


async def late(db: AsyncConnection, actor: Actor, *, part: Part) -> list[DocumentRow]:
    """Documents in which the actor has this part and whose text should be there by now, the longest waiting first."""
    statement = queries.late(queries.in_part(actor, part), due.WAITED_FOR, now().date())
    return [DocumentRow(*row) for row in (await db.execute(statement)).all()]


async def counts(db: AsyncConnection, actor: Actor, *, part: Part | None) -> dict[str, int]:
    """How many documents the actor sees in each state."""
    where = queries.visible_to(actor) if part is None else queries.in_part(actor, part)
    return {row[0]: row[1] for row in (await db.execute(queries.counts(where))).all()}


async def versions(
    db: AsyncConnection, actor: Actor, document_id: UUID, *, before: int | None, limit: int
) -> list[VersionRow]:
    """The saves of a document the actor may see, newest first."""
    await document(db, actor, document_id)
    return await keeping.versions(db, DocumentVersion.document_id, document_id, before=before, limit=limit)


async def steps(db: AsyncConnection, actor: Actor, document_id: UUID, *, after: After, limit: int) -> list[StepRow]:
    """The steps taken by a document the actor may see, newest first."""
    await document(db, actor, document_id)
    rows = (await db.execute(queries.steps(document_id, after=after, limit=limit))).all()
    return [
        StepRow(
            id=row.id,
            at=row.at,
            step=row.step,
            by=row.actor_id,
            by_name=row.actor_name,
            from_state=row.from_state,
            to_state=row.to_state,
            editor_id=row.editor_id,
            editor_name=row.editor_name,
            note=row.note,
        )
        for row in rows
    ]
