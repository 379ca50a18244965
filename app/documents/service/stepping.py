"""A document's way through its life: steps, and who it is given to."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.accounts import service as accounts
from app.audit import service as audit
from app.documents import queries
from app.documents.life import STEPS, Part, State, Step
from app.documents.models import Document, DocumentStep
from app.documents.service.rows import in_words, locked, parts_of
from app.errors import Conflict, Forbidden, Invalid
from app.ids import new_id, now
from app.journal import service as journal
from app.journal.schemas import NewEntry


async def take_step(db: AsyncSession, actor: Actor, document_id: UUID, name: str, note: str = "") -> Step:
    """Take one step of the life table; raises Conflict when the document is not where the step starts."""
    step = STEPS[name]
    document = await locked(db, actor, document_id)
    if step.by not in parts_of(actor, document):
        raise Forbidden(f"Only the document's {step.by} can do this.", code="wrong_part")
    if document.state not in step.start:
        raise Conflict(f"This document is {in_words(document.state)}, so this step is not open.", code="wrong_state")
    moment, before = now(), document.state
    document.state = step.end or await _state_before_archiving(db, document_id)
    document.updated_at = moment
    document.revision += 1
    if step.name == "publish":
        await _publish(db, document)
    elif step.name == "unpublish" and document.entry_id is not None:
        await journal.withdraw(db, document.entry_id)
    note_step(db, document, actor, moment, step.name, before, note=note)
    await db.flush()
    details: dict[str, str] = {"from": before, "to": document.state}
    if step.name in ("publish", "unpublish"):
        details["entry"] = str(document.entry_id)
    await audit.record(db, actor, f"document.{step.event or step.end}", ("document", document.id), details)
    return step


async def _publish(db: AsyncSession, document: Document) -> None:
    """Publish the text, or bring back the entry it had before it was unpublished."""
    entry = NewEntry(document.title, document.body, list(document.tags))
    author_id = document.editor_id or document.sponsor_id
    if document.entry_id is None:
        document.entry_id = await journal.publish_document(db, entry, author_id=author_id, document_id=document.id)
    else:
        await journal.publish_again(db, document.entry_id, entry, author_id=author_id)


async def _state_before_archiving(db: AsyncSession, document_id: UUID) -> State:
    state = await db.scalar(queries.state_before(document_id, "archive"))
    return cast(State, state or "cancelled")


async def check_editor(db: AsyncSession, editor_id: UUID) -> None:
    """Raise Invalid unless this is somebody who can be given work."""
    if not await accounts.is_active_editor(db, editor_id):
        raise Invalid({"editor_id": ["Choose somebody who is an active editor."]})


async def give_to(
    db: AsyncSession, actor: Actor, document: Document, editor_id: UUID | None, parts: list[Part], moment: datetime
) -> bool:
    """Give the document to another editor, or to nobody; a draft that gets one is in progress, and the other way round.

    The step stays in the history with the name, so that it is known who had it when.  Returns whether anything changed.
    """
    if editor_id == document.editor_id:
        return False
    if "sponsor" not in parts:
        raise Forbidden("Only the sponsor chooses the editor.", code="wrong_part")
    before = document.state
    if editor_id is not None:
        await check_editor(db, editor_id)
        if document.state == "draft":
            document.state = "in_progress"
    elif document.state in ("in_progress", "returned"):
        document.state = "draft"
    elif document.state != "draft":
        raise Conflict("A document that was handed in keeps its editor.", code="wrong_state")
    document.editor_id = editor_id
    note_step(db, document, actor, moment, "assign", before, editor_id=editor_id)
    return True


def note_step(
    db: AsyncSession,
    document: Document,
    actor: Actor,
    moment: datetime,
    name: str,
    before: str,
    *,
    note: str = "",
    editor_id: UUID | None = None,
) -> None:
    """Keep a step in the document's history, from the state `before` to the one it is in now."""
    db.add(
        DocumentStep(
            id=new_id(),
            document_id=document.id,
            at=moment,
            actor_id=actor.person_id(),
            step=name,
            from_state=before,
            to_state=document.state,
            note=note,
            editor_id=editor_id,
        )
    )
