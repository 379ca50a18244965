"""Statements about attached files; whoever may see a document may see what is attached to it, and nobody else."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, cast, column, delete, exists, func, literal, or_, select, table, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Delete, Insert

from app.access import Actor
from app.attachments.kinds import PICTURES
from app.attachments.models import Attachment, Blob
from app.documents.offered import Document, visible_to
from app.journal.offered import Entry

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))

_ROW = (
    Attachment.id,
    Attachment.document_id,
    Attachment.sha256,
    Attachment.name,
    Attachment.media_type,
    Attachment.size,
    Attachment.uploaded_at,
    Attachment.uploaded_by,
    Attachment.removed_at,
    _PEOPLE.c.display_name.label("uploaded_by_name"),
)


def document(actor: Actor, document_id: UUID) -> Select[*tuple[Any, ...]]:
    """What deciding about files needs to know of a document, if the actor may see it."""
    return select(
        Document.id, Document.title, Document.state, Document.sponsor_id, Document.editor_id, Document.version
    ).where(Document.id == document_id, visible_to(actor))


def document_locked(actor: Actor, document_id: UUID) -> Select[*tuple[Any, ...]]:
    """The same, and nobody else attaches to it until the transaction ends."""
    return document(actor, document_id).with_for_update(key_share=True)


def attachments(document_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> Select[*tuple[Any, ...]]:
    """A document's files, the last attached first."""
    statement = (
        _with_people()
        .where(Attachment.document_id == document_id, Attachment.removed_at.is_(None))
        .order_by(Attachment.uploaded_at.desc(), Attachment.id.desc())
        .limit(limit)
    )
    return statement if after is None else statement.where(tuple_(Attachment.uploaded_at, Attachment.id) < after)


def attachment(document_id: UUID, attachment_id: UUID) -> Select[*tuple[Any, ...]]:
    """One file, also one that was removed while older texts speak of it."""
    return _with_people().where(Attachment.document_id == document_id, Attachment.id == attachment_id)


def seen_by(actor: Actor, document_id: UUID, attachment_id: UUID) -> Select[*tuple[Any, ...]]:
    """One file, for those who may see the document, and for everybody if a journal entry they can read shows it."""
    shown = exists().where(
        Entry.id == Document.entry_id,
        Entry.withdrawn_at.is_(None),
        func.position(literal(str(attachment_id)).op("IN")(func.lower(Entry.body))) > 0,
    )
    return (
        attachment(document_id, attachment_id)
        .join(Document, Document.id == Attachment.document_id)
        .where(or_(visible_to(actor), shown))
    )


def pictures(actor: Actor, document_id: UUID, ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """The pictures among these files of one document, for those who may see it."""
    return _pictures(ids).where(Attachment.document_id == document_id, visible_to(actor))


def entry_pictures(entry_id: UUID, ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """The pictures among these files of the document an entry came from, while everybody may read the entry."""
    return (
        _pictures(ids)
        .join(Entry, Entry.id == Document.entry_id)
        .where(Entry.id == entry_id, Entry.withdrawn_at.is_(None))
    )


def _pictures(ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    return (
        select(Attachment.id, Attachment.document_id, Attachment.sha256)
        .join(Document, Document.id == Attachment.document_id)
        .where(Attachment.id.in_(ids), Attachment.media_type.in_(PICTURES))
    )


def _with_people() -> Select[*tuple[Any, ...]]:
    return select(*_ROW).join(_PEOPLE, _PEOPLE.c.id == Attachment.uploaded_by)


def taken_up(document_id: UUID) -> Select[*tuple[Any, ...]]:
    """How many files a document has and how many bytes they take, those kept for old texts included."""
    size = cast(func.coalesce(func.sum(Attachment.size), 0), Attachment.size.type)
    return select(func.count(), size).where(Attachment.document_id == document_id)


def came(digest: bytes, size: int, moment: datetime) -> Insert:
    """Note that these bytes came, for the first time or again."""
    row = insert(Blob).values(sha256=digest, size=size, stored_at=moment)
    return row.on_conflict_do_update(index_elements=[Blob.sha256], set_={"stored_at": moment})


def forget_removed(before: datetime) -> Delete:
    """Drop files that were removed before then and that no saved text ever spoke of."""
    return delete(Attachment).where(Attachment.removed_at < before, Attachment.referred_at.is_(None))


def unused_blobs(before: datetime, limit: int) -> Select[bytes]:
    """Bytes nothing refers to and that did not come lately, locked; those somebody is about to use are left out."""
    used = exists().where(Attachment.sha256 == Blob.sha256)
    statement = select(Blob.sha256).where(Blob.stored_at < before, ~used).limit(limit)
    return statement.with_for_update(skip_locked=True)


def forget_blob(digest: bytes) -> Delete:
    return delete(Blob).where(Blob.sha256 == digest)
