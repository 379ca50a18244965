"""Commissioning, writing and handing on documents.  Callers own the transaction.

Every save locks the row, compares what the writer started from with what is there now, and keeps the old text as a
version: nobody's words are lost, whoever saves first (SPEC 2.D).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import EDITOR, SPONSOR, Actor
from app.accounts import service as accounts
from app.audit import service as audit
from app.documents import queries
from app.documents.life import STEPS, Part, Step, may_write
from app.documents.models import Document, DocumentStep, DocumentVersion
from app.documents.schemas import DocumentChanges, DocumentRow, DocumentView, NewDocument, VersionRow
from app.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.ids import new_id, now
from app.journal import service as journal
from app.journal.schemas import NewEntry

After = tuple[datetime, UUID] | None


def parts_of(actor: Actor, document: Any) -> list[Part]:
    """The parts the actor has in a document: its sponsor, its editor, both or none."""
    parts: list[Part] = []
    if document.sponsor_id == actor.id and SPONSOR in actor.roles:
        parts.append("sponsor")
    if document.editor_id == actor.id and EDITOR in actor.roles:
        parts.append("editor")
    return parts


async def commission(db: AsyncSession, actor: Actor, new: NewDocument) -> UUID:
    """Make a document; with an editor it is in progress at once, without one a draft.  Returns its id."""
    if new.editor_id is not None:
        await _check_editor(db, new.editor_id)
    document_id, moment = new_id(), now()
    state = "draft" if new.editor_id is None else "in_progress"
    made = Document(
        id=document_id,
        title=new.title,
        brief=new.brief,
        body=new.body,
        state=state,
        version=1,
        revision=1,
        sponsor_id=actor.person_id(),
        editor_id=new.editor_id,
        created_at=moment,
        updated_at=moment,
    )
    db.add(made)
    await db.flush()
    _keep_version(db, made, actor, moment, "Commissioned")
    await db.flush()
    details = {"state": state, "editor": str(new.editor_id) if new.editor_id else None}
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
    """Change a document's text or editor, if it is still at the `revision` or text `version` the writer read.

    Raises Stale when somebody saved in between, Forbidden when this part may not write in this state.
    """
    document = await _locked(db, actor, document_id)
    _check_unchanged(document, revision, version)
    parts = parts_of(actor, document)
    if not any(may_write(part, document.state) for part in parts):
        raise Forbidden(
            f"Nobody in your part can change this document while it is {_words(document.state)}.", code="not_writable"
        )
    moment = now()
    reassigned = await _reassign(db, document, changes, parts)
    rewritten = _rewrite(document, changes)
    if not reassigned and not rewritten:
        return
    document.revision += 1
    document.updated_at = moment
    if rewritten:
        document.version += 1
        _keep_version(db, document, actor, moment, summary or _summary(rewritten))
    await db.flush()
    details = {"version": document.version, "fields": sorted(rewritten | ({"editor_id"} if reassigned else set()))}
    await audit.record(db, actor, "document.saved", ("document", document.id), details)


async def take_step(db: AsyncSession, actor: Actor, document_id: UUID, name: str, note: str = "") -> Step:
    """Take one step of the life table; raises Conflict when the document is not where the step starts."""
    step = STEPS[name]
    document = await _locked(db, actor, document_id)
    if step.by not in parts_of(actor, document):
        raise Forbidden(f"Only the document's {step.by} can do this.", code="wrong_part")
    if document.state not in step.start:
        raise Conflict(f"This document is {_words(document.state)}, so this step is not open.", code="wrong_state")
    moment, before = now(), document.state
    document.state, document.updated_at = step.end, moment
    document.revision += 1
    if step.name == "publish":
        document.entry_id = await journal.publish_document(
            db,
            actor,
            NewEntry(title=document.title, body=document.body),
            author_id=document.editor_id or document.sponsor_id,
            document_id=document.id,
        )
    db.add(
        DocumentStep(
            id=new_id(),
            document_id=document.id,
            at=moment,
            actor_id=actor.person_id(),
            step=step.name,
            from_state=before,
            to_state=step.end,
            note=note,
        )
    )
    await db.flush()
    details = {"from": before, "to": step.end}
    await audit.record(db, actor, f"document.{step.end}", ("document", document.id), details)
    return step


async def document(db: AsyncConnection | AsyncSession, actor: Actor, document_id: UUID) -> DocumentView:
    """One document; raises NotFound for one that does not exist or is not the actor's to see."""
    row = (await db.execute(queries.document(actor, document_id))).first()
    if row is None:
        raise NotFound
    return DocumentView(**_row(row), body=row.body, revision=row.revision)


async def documents(
    db: AsyncConnection, actor: Actor, *, part: Part | None, state: str | None, after: After, limit: int
) -> list[DocumentRow]:
    """Documents the actor may see, last changed first; with `part`, those in which they have it."""
    where = queries.visible_to(actor) if part is None else queries.in_part(actor, part)
    statement = queries.documents(where, state=state, after=after, limit=limit)
    return [DocumentRow(**_row(row)) for row in (await db.execute(statement)).all()]


async def counts(db: AsyncConnection, actor: Actor, *, part: Part | None) -> dict[str, int]:
    """How many documents the actor sees in each state."""
    where = queries.visible_to(actor) if part is None else queries.in_part(actor, part)
    return {row[0]: row[1] for row in (await db.execute(queries.counts(where))).all()}


async def versions(
    db: AsyncConnection, actor: Actor, document_id: UUID, *, before: int | None, limit: int
) -> list[VersionRow]:
    """The saves of a document the actor may see, newest first."""
    await document(db, actor, document_id)
    rows = (await db.execute(queries.versions(document_id, before=before, limit=limit))).all()
    return [VersionRow(row.version, row.saved_at, row.saved_by, row.saved_by_name, row.summary) for row in rows]


async def steps(db: AsyncConnection, document_id: UUID) -> list[Any]:
    """The steps a document took, newest first; for callers who have read the document before."""
    return list((await db.execute(queries.steps(document_id))).all())


async def _locked(db: AsyncSession, actor: Actor, document_id: UUID) -> Document:
    row = await db.scalar(queries.document_for_update(actor, document_id))
    if row is None:
        raise NotFound
    return row


def _check_unchanged(document: Document, revision: int | None, version: int | None) -> None:
    if revision is not None and revision != document.revision:
        raise Stale(current=document.revision)
    if version is not None and version != document.version:
        raise Stale(current=document.version)


async def _check_editor(db: AsyncSession, editor_id: UUID) -> None:
    if not await accounts.is_active_editor(db, editor_id):
        raise Invalid({"editor_id": ["Choose somebody who is an active editor."]})


async def _reassign(db: AsyncSession, document: Document, changes: DocumentChanges, parts: list[Part]) -> bool:
    """Give the document to another editor; a draft that gets one is in progress, and the other way round."""
    if changes.editor_id is UNSET or changes.editor_id == document.editor_id:
        return False
    if "sponsor" not in parts:
        raise Forbidden("Only the sponsor chooses the editor.", code="wrong_part")
    editor_id = changes.editor_id
    if isinstance(editor_id, UUID):
        await _check_editor(db, editor_id)
        if document.state == "draft":
            document.state = "in_progress"
    elif document.state in ("in_progress", "returned"):
        document.state = "draft"
    elif document.state != "draft":
        raise Conflict("A document that was handed in keeps its editor.", code="wrong_state")
    document.editor_id = editor_id if isinstance(editor_id, UUID) else None
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


def _keep_version(db: AsyncSession, document: Document, actor: Actor, moment: datetime, summary: str) -> None:
    db.add(
        DocumentVersion(
            document_id=document.id,
            version=document.version,
            title=document.title,
            brief=document.brief,
            body=document.body,
            saved_at=moment,
            saved_by=actor.person_id(),
            summary=summary,
        )
    )


def _summary(fields: set[str]) -> str:
    words = {"title": "title", "brief": "brief", "body": "text"}
    return "Changed " + " and ".join(words[name] for name in ("title", "brief", "body") if name in fields)


def _words(state: str) -> str:
    return state.replace("_", " ")


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "brief": row.brief,
        "state": row.state,
        "version": row.version,
        "sponsor_id": row.sponsor_id,
        "sponsor_name": row.sponsor_name,
        "editor_id": row.editor_id,
        "editor_name": row.editor_name,
        "entry_id": row.entry_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
