"""HTML routes of an entry one wrote: changing it, putting two changes together, withdrawing it, bringing it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request

from app.drafts import service as drafts
from app.drafts.found import begun, on_page
from app.drafts.schemas import DraftView, entry_place, own_place
from app.errors import Forbidden, Invalid, NotFound, Stale
from app.journal import service
from app.journal.pages.writing import WRITERS
from app.journal.schemas import EntryChanges, EntryForm, OwnEntry
from app.versions import comparing, merging
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.tags import as_line, in_line

blueprint = Blueprint("editing", __name__)


@blueprint.get("/entry/<uuid:entry_id>/edit")
@requires(*WRITERS)
async def edit(entry_id: UUID) -> Response:
    return await _edit_page(entry_id, FormData())


@blueprint.post("/entry/<uuid:entry_id>/edit")
@requires(*WRITERS)
async def save(entry_id: UUID) -> Response:
    form = await form_body(EntryForm)
    try:
        asked = form.require()
        if form.values.get("merging") and merging.has_marks(asked.body):
            return await _conflict_page(entry_id, form, marks_left=True)
        changes = EntryChanges(asked.title, asked.body, in_line(asked.tags))
        async with transaction() as db:
            started = _started_from(form.values)
            await service.edit(db, current_actor(), entry_id, changes, version=started, summary=asked.note)
            place = own_place(form.values, entry_place(entry_id))
            await drafts.saved(db, current_actor(), place, form.values)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _edit_page(entry_id, form, 422)
    except Stale:
        return await _conflict_page(entry_id, form)
    return await see_other(f"/entry/{entry_id}", "Saved. Readers see it so from now on; every version is kept.")


@blueprint.post("/entry/<uuid:entry_id>/withdraw")
@requires(*WRITERS)
async def withdraw(entry_id: UUID) -> Response:
    async with transaction() as db:
        await service.take_back(db, current_actor(), entry_id)
    said = "Withdrawn. Readers are told so; its text and history are kept, and you can publish it again."
    return await see_other(f"/entry/{entry_id}/edit", said)


@blueprint.post("/entry/<uuid:entry_id>/publish")
@requires(*WRITERS)
async def publish(entry_id: UUID) -> Response:
    async with transaction() as db:
        await service.bring_back(db, current_actor(), entry_id)
    return await see_other(f"/entry/{entry_id}", "Published again, under its old address and date.")


async def own_entry(db: Any, entry_id: UUID) -> OwnEntry:
    """The actor's entry, for pages on which it is changed; raises NotFound, and Forbidden for one from a document."""
    entry = await service.own(db, current_actor(), entry_id)
    if entry.document_id is not None:
        raise Forbidden(service.FROM_DOCUMENT, code="from_document")
    return entry


async def _edit_page(entry_id: UUID, form: FormData[EntryForm], status: int = 200) -> Response:
    async with reading() as db:
        entry = await own_entry(db, entry_id)
        kept = await drafts.of_text(db, current_actor(), entry_place(entry_id))
    unsaved = [found for one in kept if (found := _unsaved(one, entry))]
    form.values, draft = begun(
        entry_place(entry_id), form.values, _as_typed(entry), unsaved, request.args.get("draft", "")
    )
    return await page("journal/edit.html", status, entry=entry, form=form, draft=draft)


async def _conflict_page(entry_id: UUID, form: FormData[EntryForm], *, marks_left: bool = False) -> Response:
    """409 with everything that was written in both windows; with `marks_left` what was sent still holds marks."""
    async with reading() as db:
        entry = await own_entry(db, entry_id)
        try:
            base = await service.version(db, current_actor(), entry_id, _started_from(form.values))
        except NotFound:  # the form names a version that never was: then nothing is known to be common
            base = None
    typed = {
        name: form.values.get(name, "").replace("\r\n", "\n")
        for name in ("title", "body", "tags", "version", "place", "seen")
    }
    if marks_left:
        proposal, title = merging.Merged(typed["body"], typed["body"].count(merging.MINE)), typed["title"]
    else:
        proposal = await merging.merge(base.body if base else "", typed["body"], entry.body)
        title, _ = merging.merge_line(base.title if base else "", typed["title"], entry.title)
    return await page(
        "journal/conflict.html",
        409,
        entry=entry,
        yours=typed,
        proposal=proposal,
        title=title,
        tags=as_line(list(dict.fromkeys([*in_line(typed["tags"]), *entry.tags]))),
        marks=merging,
        marks_left=marks_left,
        found=await comparing.compare(entry.body, typed["body"]),
    )


def _started_from(typed: dict[str, str]) -> int:
    """The version a form was read from; 0, which never was, when it does not say."""
    text = typed.get("version", "")
    return int(text) if text.isdecimal() else 0


def _as_typed(entry: OwnEntry) -> dict[str, str]:
    return {"title": entry.title, "body": entry.body, "tags": as_line(entry.tags), "version": str(entry.version)}


def _unsaved(draft: DraftView, entry: OwnEntry) -> dict[str, Any] | None:
    """A draft for the page of its entry; None when there is nothing in it that is not saved."""
    typed = {"title": draft.title, "body": draft.body, "version": str(draft.version or entry.version)}
    if draft.tags is not None:
        typed["tags"] = draft.tags
    saved = _as_typed(entry)
    if all(saved[name] == value for name, value in typed.items() if name != "version"):
        return None
    return on_page(draft, typed)
