"""Commissioning a document and saving its text.

Every save locks the row, compares what the writer started from with what is there now, and keeps the old text as a
version: nobody's words are lost, whoever saves first.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.documents.life import Part, may_write
from app.documents.models import Document
from app.documents.schemas import DocumentChanges, NewDocument
from app.documents.service.history import as_changes, keep_version, version_text
from app.documents.service.rows import in_words, locked, parts_of
from app.documents.service.stepping import check_editor, give_to, note_step
from app.errors import Forbidden, Stale
from app.ids import new_id, now
from app.web.tags import tags


async def commission(db: AsyncSession, actor: Actor, new: NewDocument) -> UUID:
    """Make a document; with an editor it is in progress at once, without one a draft.  Returns its id."""
    if new.editor_id is not None:
        await check_editor(db, new.editor_id)
    document_id, moment = new_id(), now()
    made = Document(
        id=document_id,
        title=new.title,
        brief=new.brief,
        body=new.body,
        state="draft" if new.editor_id is None else "in_progress",
        version=1,
        revision=1,
        sponsor_id=actor.person_id(),
        editor_id=new.editor_id,
        due_on=new.due_on,
        tags=tags(new.tags),
        created_at=moment,
        updated_at=moment,
    )
    db.add(made)
    await db.flush()
    await keep_version(db, made, actor, moment, "Commissioned")
    if new.editor_id is not None:
        note_step(db, made, actor, moment, "assign", "draft", editor_id=new.editor_id)
    await db.flush()
    details = {"state": made.state, "editor": str(new.editor_id) if new.editor_id else None}
    await audit.record(db, actor, "document.commissioned", ("document", document_id), details)
    return document_id


async def save(
    db: AsyncSession,
    actor: Actor,
    document_id: UUID,
    changes: DocumentChanges,
    *,
    revision: int | None = None,
    version: int | None = None,
    summary: str = "",
) -> None:
    """Change a document's text, editor, due date or tags, if it is still at the `revision` or text `version` the writer read.

    Raises Stale when somebody saved in between, Forbidden when this part may not write in this state.
    """
    document = await locked(db, actor, document_id)
    _check_unchanged(document, revision, version)
    parts = parts_of(actor, document)
    if not any(may_write(part, document.state) for part in parts):
        raise Forbidden(
            f"Nobody in your part can change this document while it is {in_words(document.state)}.",
            code="not_writable",
        )
    moment = now()
    changed: set[str] = set()
    if changes.editor_id is not UNSET and await give_to(db, actor, document, changes.editor_id, parts, moment):
        changed.add("editor_id")
    if _due(document, changes, parts):
        changed.add("due_on")
    if _retag(document, changes):
        changed.add("tags")
    rewritten = _rewrite(document, changes)
    if not changed and not rewritten:
        return
    document.revision += 1
    document.updated_at = moment
    if rewritten:
        document.version += 1
        await keep_version(db, document, actor, moment, summary or _summary(rewritten))
    await db.flush()
    details = {"version": document.version, "fields": sorted(rewritten | changed)}
    await audit.record(db, actor, "document.saved", ("document", document.id), details)


async def restore(
    db: AsyncSession,
    actor: Actor,
    document_id: UUID,
    number: int,
    *,
    revision: int | None = None,
    version: int | None = None,
) -> None:
    """Save the text of version `number` again, as a new version; raises as `save` does, and NotFound."""
    document = await locked(db, actor, document_id)
    _check_unchanged(document, revision, version)
    kept = await version_text(db, document_id, number)
    changes = as_changes(kept, brief="sponsor" in parts_of(actor, document))
    await save(db, actor, document_id, changes, summary=f"Restored version {number}")


def _check_unchanged(document: Document, revision: int | None, version: int | None) -> None:
    if revision is not None and revision != document.revision:
        raise Stale(current=document.revision, link=f"/api/v1/documents/{document.id}")
    if version is not None and version != document.version:
        raise Stale(current=document.version, link=f"/api/v1/documents/{document.id}")


def _due(document: Document, changes: DocumentChanges, parts: list[Part]) -> bool:
    """Set the due date; returns whether it changed."""
    if changes.due_on is UNSET or changes.due_on == document.due_on:
        return False
    if "sponsor" not in parts:
        raise Forbidden("Only the sponsor says when it is due.", code="wrong_part")
    document.due_on = changes.due_on
    return True


def _retag(document: Document, changes: DocumentChanges) -> bool:
    """Set the tags; returns whether they changed."""
    if changes.tags is UNSET:
        return False
    wanted = tags(changes.tags)
    if wanted == document.tags:
        return False
    document.tags = wanted
    return True


def _rewrite(document: Document, changes: DocumentChanges) -> set[str]:
    """Put the changed texts into the row; returns the names of the fields that really changed."""
    changed: set[str] = set()
    for name in ("title", "brief", "body"):
        value = getattr(changes, name)
        if value is not UNSET and value != getattr(document, name):
            setattr(document, name, value)
            changed.add(name)
    return changed


def _summary(fields: set[str]) -> str:
    words = {"title": "title", "brief": "brief", "body": "text"}
    return "Changed " + " and ".join(words[name] for name in ("title", "brief", "body") if name in fields)
