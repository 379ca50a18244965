"""The versions of an entry: kept with every change, listed, read and compared by its author."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.errors import NotFound
from app.journal.models import Entry, EntryVersion
from app.journal.schemas import EntryDifference, EntryVersionView, OwnEntry
from app.journal.service.reading import own
from app.versions import comparing, keeping, packing, queries
from app.versions.schemas import LARGEST, VersionRow

FIRST = "Published"
_OWNER = EntryVersion.entry_id


async def keep_version(db: AsyncSession, entry: Entry, moment: datetime, summary: str) -> None:
    """Keep the entry's text as the version it is at."""
    packed = await keeping.pack_next(db, _OWNER, entry.id, entry.version, entry.body)
    db.add(
        EntryVersion(
            entry_id=entry.id,
            version=entry.version,
            title=entry.title,
            packed=packed.data,
            base=packed.base,
            tags=list(entry.tags),
            saved_at=moment,
            saved_by=entry.author_id,
            summary=summary,
        )
    )


async def keep_first(db: AsyncSession, entry: Entry) -> None:
    """Keep what is about to be changed, where it was never kept: the text as it was published."""
    newest = await keeping.versions(db, _OWNER, entry.id, before=None, limit=1)
    if not newest:
        await keep_version(db, entry, entry.updated_at, FIRST)
        await db.flush()


async def versions(
    db: AsyncConnection, actor: Actor, entry_id: UUID, *, before: int | None, limit: int
) -> list[VersionRow]:
    """The saves of an entry of the actor's, newest first."""
    entry = await own(db, actor, entry_id)
    found = await keeping.versions(db, _OWNER, entry_id, before=before, limit=limit)
    if found or (before is not None and before <= entry.version):
        return found
    return [_first(entry)]


async def version(db: AsyncConnection, actor: Actor, entry_id: UUID, number: int) -> EntryVersionView:
    """One save of an entry of the actor's, with its text; raises NotFound."""
    return await version_text(db, await own(db, actor, entry_id), number)


async def version_text(db: AsyncConnection | AsyncSession, entry: OwnEntry | Entry, number: int) -> EntryVersionView:
    """The same for callers who have found the entry already."""
    statement = queries.version(_OWNER, entry.id, number, EntryVersion.tags)
    row = None if number > LARGEST else (await db.execute(statement)).first()
    if row is not None:
        _, body = await packing.unpack(row.packed, row.base_packed)
        return EntryVersionView(
            row.version, row.saved_at, row.saved_by, row.saved_by_name, row.summary,
            title=row.title, body=body, tags=list(row.tags),
        )  # fmt: skip
    if number != entry.version or isinstance(entry, Entry):
        raise NotFound
    first = _first(entry)
    return EntryVersionView(
        first.version, first.saved_at, first.saved_by, first.saved_by_name, first.summary,
        title=entry.title, body=entry.body, tags=entry.tags,
    )  # fmt: skip


async def difference(
    db: AsyncConnection, actor: Actor, entry_id: UUID, before: int, after: int
) -> tuple[EntryVersionView, EntryVersionView, EntryDifference]:
    """Two versions and where they differ; raises NotFound when there is no such version."""
    entry = await own(db, actor, entry_id)
    old, new = await version_text(db, entry, before), await version_text(db, entry, after)
    found = EntryDifference(
        before=old.version,
        after=new.version,
        title=None if old.title == new.title else comparing.compare_now(old.title, new.title),
        body=await comparing.compare(old.body, new.body),
        tags_added=[tag for tag in new.tags if tag not in old.tags],
        tags_removed=[tag for tag in old.tags if tag not in new.tags],
    )
    return old, new, found


def _first(entry: OwnEntry) -> VersionRow:
    return VersionRow(entry.version, entry.updated_at, entry.author.id, entry.author.display_name, FIRST)
