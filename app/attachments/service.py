"""Attaching files to documents, listing and removing them; the bytes themselves go through the store in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.attachments import queries
from app.attachments.kinds import HEAD, PICTURES, is_program, kind_of
from app.attachments.models import Attachment
from app.attachments.names import clean
from app.attachments.schemas import AttachmentView
from app.attachments.store import Arrival, Store, blob_name
from app.audit import service as audit
from app.database import Database
from app.documents.service import parts_of
from app.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.ids import new_id, now
from app.web.body_caps import UPLOAD
from app.web.file_paths import file_path, picture_path
from app.web.parsing import TooLarge, WrongContentType

Pieces = AsyncIterable[bytes]
MOST: Final = 500
"""Files one document may have, however small."""
_CLOSED: Final = frozenset({"cancelled", "archived"})
_SETTLED: Final = timedelta(hours=1)
"""How long bytes nothing refers to are kept: whoever brings them again meanwhile is about to refer to them."""
_AT_ONCE: Final = 100


class DocumentFull(DomainError):
    """The document's files take as much as the site allows (ASVS 5.2.4)."""

    status = 413
    code = "document_full"
    title = "This document holds no more files"


@dataclass(frozen=True)
class Limits:
    """Bytes all files of one document may take together."""

    document: int


async def may_attach(db: AsyncConnection, actor: Actor, document_id: UUID) -> Any:
    """The document, if the actor may attach to it; raises NotFound, or Forbidden for those who only look on."""
    document = (await db.execute(queries.document(actor, document_id))).first()
    if document is None:
        raise NotFound
    _check_part(actor, document)
    return document


def _check_part(actor: Actor, document: Any) -> None:
    if not parts_of(actor, document):
        raise Forbidden("Only the document's sponsor and editor attach and remove files.", code="wrong_part")
    if document.state in _CLOSED:
        raise Conflict(f"This document is {document.state}: its files stay as they are.", code="wrong_state")


async def attach(
    database: Database,
    store: Store,
    actor: Actor,
    document_id: UUID,
    name: str,
    pieces: AsyncIterable[bytes],
    limits: Limits,
) -> UUID:
    """Take a file in and attach it; returns its id.

    The caller has checked `may_attach`; it is checked again when the bytes are there.  Raises TooLarge beyond 25 MiB,
    DocumentFull beyond the document's own limit, Invalid for an empty file and WrongContentType for a program.
    """
    async with store.arriving(_bounded(pieces), head=HEAD) as arrival:
        _check_kind(arrival)
        moment = now()
        # Three steps in this order, so that bytes are never there without a row that leads to them, nor the other way.
        async with database.transaction() as db:
            await db.execute(queries.came(arrival.digest, arrival.size, moment))
        await store.keep(arrival, blob_name(arrival.digest))
        async with database.transaction() as db:
            return await _record(db, actor, document_id, clean(name), arrival, moment, limits)


async def _bounded(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    left = UPLOAD
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise TooLarge("A file may have at most 25 MB. Make it smaller, or keep it elsewhere and link to it.")
        yield piece


def _check_kind(arrival: Arrival) -> None:
    if arrival.size == 0:
        raise Invalid({"file": ["This file is empty."]})
    if is_program(arrival.head):
        raise WrongContentType("Programs cannot be attached. Pack it into a zip file if it must be kept here.")


async def _record(
    db: AsyncSession,
    actor: Actor,
    document_id: UUID,
    name: str,
    arrival: Arrival,
    moment: datetime,
    limits: Limits,
) -> UUID:
    document = (await db.execute(queries.document_locked(actor, document_id))).first()
    if document is None:
        raise NotFound
    _check_part(actor, document)
    count, size = (await db.execute(queries.taken_up(document_id))).one()
    if count >= MOST or size + arrival.size > limits.document:
        raise DocumentFull(
            "The files of this document would take more than it may hold. Remove some, or make this one smaller."
        )
    made = Attachment(
        id=new_id(),
        document_id=document_id,
        sha256=arrival.digest,
        name=name,
        media_type=kind_of(arrival.head),
        size=arrival.size,
        uploaded_by=actor.person_id(),
        uploaded_at=moment,
    )
    db.add(made)
    await db.flush()
    details = {"attachment": str(made.id), "size": made.size, "type": made.media_type, "sha256": arrival.digest.hex()}
    await audit.record(db, actor, "document.attached", ("document", document_id), details)
    return made.id


async def attachments(
    db: AsyncConnection, actor: Actor, document_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[AttachmentView]:
    """The files of a document the actor may see, the last attached first; raises NotFound."""
    if (await db.execute(queries.document(actor, document_id))).first() is None:
        raise NotFound
    rows = (await db.execute(queries.attachments(document_id, after=after, limit=limit))).all()
    return [_view(row) for row in rows]


async def attachment(
    db: AsyncConnection | AsyncSession, actor: Actor, document_id: UUID, attachment_id: UUID
) -> AttachmentView:
    """One file the actor may see; raises NotFound."""
    row = (await db.execute(queries.seen_by(actor, document_id, attachment_id))).first()
    if row is None:
        raise NotFound
    return _view(row)


async def remove(db: AsyncSession, actor: Actor, document_id: UUID, attachment_id: UUID) -> None:
    """Take a file off the list; once more does no harm.

    Its bytes stay while a saved text speaks of it: old versions stay whole.
    """
    document = (await db.execute(queries.document_locked(actor, document_id))).first()
    if document is None:
        raise NotFound
    row = (await db.execute(queries.attachment(document_id, attachment_id))).first()
    if row is None:
        raise NotFound
    _check_part(actor, document)
    if row.removed_at is not None:
        return
    await db.execute(update(Attachment).where(Attachment.id == attachment_id).values(removed_at=now()))
    details = {"attachment": str(attachment_id), "sha256": row.sha256.hex()}
    await audit.record(db, actor, "document.attachment_removed", ("document", document_id), details)


async def sweep(db: AsyncSession, store: Store, *, settled: timedelta = _SETTLED) -> int:
    """Throw away removed files and bytes that nothing refers to; returns how many bytes' names went."""
    before = now() - settled
    await db.execute(queries.forget_removed(before))
    unused = (await db.scalars(queries.unused_blobs(before, _AT_ONCE))).all()
    for digest in unused:
        await store.remove(blob_name(digest))
        await db.execute(queries.forget_blob(digest))
    return len(unused)


def _view(row: Any) -> AttachmentView:
    page = file_path(row.document_id, row.id)
    return AttachmentView(
        id=row.id,
        document_id=row.document_id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256.hex(),
        uploaded_at=row.uploaded_at,
        uploaded_by=row.uploaded_by,
        uploaded_by_name=row.uploaded_by_name,
        url=f"/api/v1{page}/content",
        page_url=page,
        image_url=picture_path(row.document_id, row.id) if row.media_type in PICTURES else None,
    )
