"""Writing for the journal: publishing, changing what one wrote, withdrawing it and bringing it back.

An entry is changed by whoever wrote it and nobody else.  One that came from a document follows the document: its
sponsor unpublishes it, its editor changes the text, and publishing again brings it back.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.errors import Conflict, Forbidden, Gone, NotFound, Stale
from app.ids import new_id, now
from app.journal import queries
from app.journal.models import Entry
from app.journal.schemas import EntryChanges, NewEntry
from app.journal.service.history import keep_first, keep_version, version_text
from app.web.tags import tags

FROM_DOCUMENT = (
    "This entry came from a document. It changes when the document is unpublished, changed and published again."
)


async def write(db: AsyncSession, actor: Actor, new: NewEntry) -> UUID:
    """Publish an entry in the actor's own name; returns its id."""
    entry_id = await _publish(db, new, author_id=actor.person_id(), document_id=None)
    await audit.record(db, actor, "entry.published", ("entry", entry_id))
    return entry_id


async def publish_document(db: AsyncSession, new: NewEntry, *, author_id: UUID, document_id: UUID) -> UUID:
    """Publish the text of a finished document under its writer's name; returns the entry's id.

    This and the next two are parts of a step of the document, which is the one event in the trail and names the entry.
    """
    return await _publish(db, new, author_id=author_id, document_id=document_id)


async def _publish(db: AsyncSession, new: NewEntry, *, author_id: UUID, document_id: UUID | None) -> UUID:
    entry_id, moment = new_id(), now()
    db.add(
        Entry(
            id=entry_id,
            title=new.title,
            body=new.body,
            tags=tags(new.tags),
            author_id=author_id,
            published_at=moment,
            updated_at=moment,
            version=1,
            document_id=document_id,
        )
    )
    await db.flush()
    return entry_id


async def publish_again(db: AsyncSession, entry_id: UUID, new: NewEntry, *, author_id: UUID) -> None:
    """Bring a document's entry back under its old address and date, with the text as it is now."""
    await db.execute(queries.publish_again(entry_id, replace(new, tags=tags(new.tags)), author_id, now()))


async def withdraw(db: AsyncSession, entry_id: UUID) -> None:
    """Take a document's entry out of the journal; its readers are told so (Gone)."""
    await db.execute(queries.withdraw(entry_id, now()))


async def edit(
    db: AsyncSession, actor: Actor, entry_id: UUID, changes: EntryChanges, *, version: int | None, summary: str = ""
) -> None:
    """Change an entry of one's own, if it is still at the `version` its writer read (None for whatever it is at).

    Raises Stale when it was saved in between, Forbidden when it came from a document, NotFound for somebody else's.
    """
    entry = await _own(db, actor, entry_id)
    if version is not None and version != entry.version:
        raise Stale(current=entry.version, link=f"/api/v1/entries/{entry_id}")
    wanted = _wanted(entry, changes)
    if not wanted:
        return
    await keep_first(db, entry)
    for name, value in wanted.items():
        setattr(entry, name, value)
    entry.version += 1
    entry.updated_at = now()
    await keep_version(db, entry, entry.updated_at, summary or _summary(wanted))
    await db.flush()
    details = {"version": entry.version, "fields": sorted(wanted)}
    await audit.record(db, actor, "entry.edited", ("entry", entry_id), details)


async def restore(db: AsyncSession, actor: Actor, entry_id: UUID, number: int, *, version: int | None) -> None:
    """Save version `number` again, as the newest; raises as `edit` does, and NotFound when there is no such version."""
    entry = await _own(db, actor, entry_id)
    changes = EntryChanges()
    if number != entry.version:
        kept = await version_text(db, entry, number)
        changes = EntryChanges(kept.title, kept.body, kept.tags)
    await edit(db, actor, entry_id, changes, version=version, summary=f"Restored version {number}")


async def take_back(db: AsyncSession, actor: Actor, entry_id: UUID) -> None:
    """Withdraw an entry of one's own; its readers are told so, and its author may bring it back."""
    entry = await _own(db, actor, entry_id)
    if entry.withdrawn_at is not None:
        raise Gone("You have withdrawn this entry already.")
    entry.withdrawn_at = now()
    await db.flush()
    await audit.record(db, actor, "entry.withdrawn", ("entry", entry_id))


async def bring_back(db: AsyncSession, actor: Actor, entry_id: UUID) -> None:
    """Publish an entry of one's own again, under its old address and date; raises Conflict for one that is published."""
    entry = await _own(db, actor, entry_id)
    if entry.withdrawn_at is None:
        raise Conflict("This entry is published already.", code="wrong_state")
    entry.withdrawn_at = None
    await db.flush()
    await audit.record(db, actor, "entry.published", ("entry", entry_id))


async def _own(db: AsyncSession, actor: Actor, entry_id: UUID) -> Entry:
    entry = await db.scalar(queries.own_for_update(actor, entry_id))
    if entry is None:
        raise NotFound
    if entry.document_id is not None:
        raise Forbidden(FROM_DOCUMENT, code="from_document")
    return entry


def _wanted(entry: Entry, changes: EntryChanges) -> dict[str, Any]:
    """The fields that would really change, and to what."""
    given: dict[str, Any] = {
        "title": changes.title,
        "body": changes.body,
        "tags": changes.tags if changes.tags is UNSET else tags(changes.tags),
    }
    return {name: value for name, value in given.items() if value is not UNSET and value != getattr(entry, name)}


def _summary(wanted: dict[str, Any]) -> str:
    words = {"title": "title", "body": "text", "tags": "tags"}
    return "Changed " + " and ".join(words[name] for name in words if name in wanted)
