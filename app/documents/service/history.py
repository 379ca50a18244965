"""The versions of a document: keeping them small, reading one, comparing two, going back to one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.documents import queries
from app.documents.models import Document, DocumentVersion
from app.documents.schemas import Difference, DocumentChanges, VersionView
from app.documents.service.reading import document
from app.errors import NotFound
from app.versions import comparing, keeping, packing
from app.versions.schemas import LARGEST


async def keep_version(db: AsyncSession, row: Document, actor: Actor, moment: datetime, summary: str) -> None:
    """Keep the text of the document's row as the version it is at."""
    packed = await keeping.pack_next(db, DocumentVersion.document_id, row.id, row.version, row.body, brief=row.brief)
    db.add(
        DocumentVersion(
            document_id=row.id,
            version=row.version,
            title=row.title,
            packed=packed.data,
            base=packed.base,
            saved_at=moment,
            saved_by=actor.person_id(),
            summary=summary,
        )
    )


async def version(db: AsyncConnection | AsyncSession, actor: Actor, document_id: UUID, number: int) -> VersionView:
    """One version of a document the actor may see, with its text; raises NotFound."""
    await document(db, actor, document_id)
    return await version_text(db, document_id, number)


async def version_text(db: AsyncConnection | AsyncSession, document_id: UUID, number: int) -> VersionView:
    """The same for callers who have found the document already."""
    row = None if number > LARGEST else (await db.execute(queries.version(document_id, number))).first()
    if row is None:
        raise NotFound
    brief, body = (row.brief, row.body) if row.packed is None else await packing.unpack(row.packed, row.base_packed)
    return VersionView(
        version=row.version,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        saved_by_name=row.saved_by_name,
        summary=row.summary,
        title=row.title,
        brief=brief,
        body=body,
    )


async def difference(
    db: AsyncConnection, actor: Actor, document_id: UUID, before: int, after: int
) -> tuple[VersionView, VersionView, Difference]:
    """Two versions and where they differ; raises NotFound when there is no such version."""
    await document(db, actor, document_id)
    old = await version_text(db, document_id, before)
    new = await version_text(db, document_id, after)
    return (
        old,
        new,
        Difference(
            before=old.version,
            after=new.version,
            title=None if old.title == new.title else comparing.compare_now(old.title, new.title),
            brief=None if old.brief == new.brief else await comparing.compare(old.brief, new.brief),
            body=await comparing.compare(old.body, new.body),
        ),
    )


def as_changes(kept: VersionView, *, brief: bool) -> DocumentChanges:
    """What would have to change to go back to a version; an editor's way back leaves the sponsor's brief alone."""
    return DocumentChanges(title=kept.title, brief=kept.brief if brief else UNSET, body=kept.body)
