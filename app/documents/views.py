"""Documents as pages show them: plain values for templates, and forms as the service understands them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from msgspec import UNSET

from app.documents import due
from app.documents.life import STATES, Part, may_write, steps_for
from app.documents.schemas import (
    CommentView,
    DocumentChanges,
    DocumentForm,
    DocumentRow,
    DocumentView,
    StepRow,
)
from app.documents.talk import MOST_COMMENTS, talk_mark
from app.drafts.found import on_page
from app.drafts.schemas import DraftView
from app.errors import Invalid
from app.ids import now
from app.versions.schemas import VersionRow
from app.web.tags import as_line, in_line

# What waits for whom, first; the words stand above each group of a dashboard.
_GROUPS: Mapping[Part, Sequence[tuple[str, tuple[str, ...]]]] = {
    "sponsor": (
        ("Handed in, waiting for you", ("handed_in",)),
        ("Accepted, ready to publish", ("accepted",)),
        ("With the editor", ("in_progress", "returned")),
        ("Drafts without an editor", ("draft",)),
        ("Published", ("published",)),
    ),
    "editor": (
        ("Returned to you", ("returned",)),
        ("To write", ("in_progress",)),
        ("Handed in", ("handed_in",)),
        ("Accepted", ("accepted",)),
        ("Published", ("published",)),
    ),
}


def row(document: DocumentRow, part: Part) -> dict[str, Any]:
    """One line of a list."""
    return {
        "id": document.id,
        "title": document.title,
        "state": document.state,
        "version": document.version,
        "updated_at": document.updated_at,
        "sponsor_name": document.sponsor_name,
        "editor_name": document.editor_name,
        "due": due.shown(document.state, document.due_on, now().date()),
        "url": f"/{part}/documents/{document.id}",
    }


def groups(rows: Sequence[DocumentRow], late: Sequence[DocumentRow], part: Part) -> list[dict[str, Any]]:
    """A dashboard's documents: what is late first, then by what they wait for."""
    told = {found.id for found in late}
    rest = [found for found in rows if found.id not in told]
    return [
        {"label": "Late", "state": "late", "documents": [row(found, part) for found in late]},
        *(
            {
                "label": label,
                "state": states[0],
                "documents": [row(found, part) for found in rest if found.state in states],
            }
            for label, states in _GROUPS[part]
        ),
    ]


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts in the order of a document's life."""
    return {state: counts.get(state, 0) for state in STATES}


def shown(document: DocumentView) -> dict[str, Any]:
    """A document for its page."""
    return {
        "id": document.id,
        "title": document.title,
        "brief": document.brief,
        "body": document.body,
        "state": document.state,
        "version": document.version,
        "sponsor": document.sponsor_name,
        "editor": document.editor_name,
        "due": due.shown(document.state, document.due_on, now().date()),
        "tags": document.tags,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }


def as_typed(document: DocumentView) -> dict[str, str]:
    """A document as its form shows it before anything was typed."""
    return {
        "title": document.title,
        "brief": document.brief,
        "body": document.body,
        "editor_id": str(document.editor_id or ""),
        "due_on": document.due_on.isoformat() if document.due_on else "",
        "tags": as_line(document.tags),
        "version": str(document.version),
    }


def draft_shown(draft: DraftView, document: DocumentView) -> dict[str, Any] | None:
    """A draft for the page of its document; None when there is nothing in it that is not saved."""
    same = (draft.title, draft.body) == (document.title, document.body)
    if same and draft.brief in (None, document.brief) and draft.tags in (None, as_line(document.tags)):
        return None
    values = {"title": draft.title, "body": draft.body, "version": str(draft.version or document.version)}
    if draft.brief is not None:
        values["brief"] = draft.brief
    if draft.tags is not None:
        values["tags"] = draft.tags
    return on_page(draft, values)


def editable(document: DocumentView, part: Part) -> bool:
    """Whether the page offers to change the text."""
    return may_write(part, document.state)


def actions(document: DocumentView, part: Part) -> list[dict[str, Any]]:
    """The steps open now, as buttons."""
    return [
        {
            "name": step.name,
            "label": step.label,
            "explain": step.explain,
            "kind": step.kind,
            "note": step.noted,
            "url": f"/{part}/documents/{document.id}/{step.name}",
        }
        for step in steps_for(part, document.state)
    ]


def threads(comments: Sequence[CommentView]) -> list[dict[str, Any]]:
    """Comments with their replies, those that wait for an answer first."""
    found = [
        {"first": first, "replies": [reply for reply in comments if reply.parent_id == first.id]}
        for first in comments
        if first.parent_id is None
    ]
    return sorted(found, key=lambda thread: cast(CommentView, thread["first"]).resolved_at is not None)


def talk_mark_of(comments: Sequence[CommentView]) -> str:
    """What the page's script knows of the talk, to be told only what is new; empty when not all of it is here."""
    if len(comments) >= MOST_COMMENTS:
        return ""
    moments = [moment for one in comments for moment in (one.created_at, one.resolved_at) if moment]
    settled = sum(one.resolved_at is not None for one in comments)
    return talk_mark(len(comments), settled, max(moments, default=None))


def entry_url(document: DocumentView) -> str | None:
    """Where everybody reads it now, if they do."""
    if document.entry_id is None or document.state not in ("published", "archived"):
        return None
    return f"/entry/{document.entry_id}"


def with_present_editor(editors: Sequence[Any], document: DocumentView) -> list[dict[str, Any]]:
    """The editors to choose from; the present one stays in the list even while suspended."""
    options = [{"id": editor.id, "display_name": editor.display_name} for editor in editors]
    if document.editor_id is not None and all(option["id"] != document.editor_id for option in options):
        options.insert(0, {"id": document.editor_id, "display_name": document.editor_name})
    return options


def history(versions: Sequence[VersionRow], steps: Sequence[StepRow]) -> list[dict[str, Any]]:
    """Saves and steps in one line of time, newest first."""
    told = [
        {"version": save.version, "saved_at": save.saved_at, "by": save.saved_by_name, "summary": save.summary}
        for save in versions
    ]
    told += [{"version": None, "saved_at": step.at, "by": step.by_name, "summary": _told(step)} for step in steps]
    return sorted(told, key=lambda event: event["saved_at"], reverse=True)


def _told(step: StepRow) -> str:
    if step.step == "assign":
        return f"Given to {step.editor_name}" if step.editor_name else "Taken from its editor"
    words = {"unpublish": "Unpublished", "unarchive": "Taken out of the archive"}.get(step.step)
    words = words or step.to_state.replace("_", " ").capitalize()
    return f"{words}: {step.note}" if step.note else words


def chosen_editor(text: str) -> UUID | None:
    """The editor somebody chose in a form; raises Invalid."""
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError:
        raise Invalid({"editor_id": ["Choose somebody from the list."]}) from None


def changes(form: DocumentForm, part: Part, typed: Mapping[str, str]) -> tuple[DocumentChanges, int | None]:
    """What a page form means, and the version it was read from.  An editor's form has no brief and no editor."""
    if not form.version.isdecimal():
        raise Invalid({"version": ["This form does not say which version it changes. Open the page again."]})
    sponsor = part == "sponsor"
    wanted = DocumentChanges(
        title=form.title,
        brief=form.brief if sponsor and "brief" in typed else UNSET,
        body=form.body if "body" in typed else UNSET,
        editor_id=chosen_editor(form.editor_id) if sponsor and "editor_id" in typed else UNSET,
        due_on=form.due_on if sponsor and "due_on" in typed else UNSET,
        tags=in_line(form.tags) if "tags" in typed else UNSET,
    )
    return wanted, int(form.version)


def started_from(typed: Mapping[str, str]) -> int:
    """The version a form was read from; 0, which never was, when it does not say."""
    text = typed.get("version", "")
    return int(text) if text.isdecimal() else 0


def yours(typed: Mapping[str, str], document: DocumentView) -> dict[str, Any]:
    """What somebody typed while another saved, for the page on which both are put together."""
    return {
        "title": typed.get("title", document.title),
        "brief": typed.get("brief"),
        "body": typed.get("body", "").replace("\r\n", "\n"),
        "version": typed.get("version", ""),
        "place": typed.get("place"),
        "seen": typed.get("seen"),
        "editor_id": typed.get("editor_id"),
        "due_on": typed.get("due_on"),
        "tags": typed.get("tags"),
    }
