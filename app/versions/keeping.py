"""Making the next version of a text small, and listing those that are there."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.versions import packing, queries
from app.versions.queries import Owner
from app.versions.schemas import VersionRow


async def pack_next(
    db: AsyncSession, owner: Owner, owner_id: UUID, number: int, body: str, *, brief: str = ""
) -> packing.Packed:
    """The text of version `number`, packed against the newest full copy where that pays."""
    found = (await db.execute(queries.newest_copy(owner, owner_id))).first()
    copy = packing.FullCopy(found.version, found.packed) if found else None
    return await packing.pack(brief, body, number, copy)


async def versions(
    db: AsyncConnection | AsyncSession, owner: Owner, owner_id: UUID, *, before: int | None, limit: int
) -> list[VersionRow]:
    """The saves of a text, newest first."""
    rows = (await db.execute(queries.versions(owner, owner_id, before=before, limit=limit))).all()
    return [VersionRow(row.version, row.saved_at, row.saved_by, row.saved_by_name, row.summary) for row in rows]
