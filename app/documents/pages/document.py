"""HTML routes of one document: commissioning it, its page, saving and its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from quart import Blueprint, Response, request

from app.access import EDITOR, SPONSOR
from app.accounts import service as accounts
from app.documents import service, views
from app.documents.life import STEPS, Part
from app.documents.pages.conflict import conflict_page
from app.documents.pages.part import in_part
from app.documents.schemas import DocumentForm, NewDocument, StepNote
from app.drafts import service as drafts
from app.drafts.found import begun
from app.drafts.schemas import document_place, own_place
from app.errors import Invalid, NotFound, Stale
from app.versions.merging import has_marks
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.tags import in_line
from app.web.typesetting import typeset

blueprint = Blueprint("document", __name__)
HISTORY = 12
"""Saves and steps shown beside the text; the page of versions has all of them."""


@blueprint.get("/sponsor/newdocument")
@requires(SPONSOR)
async def new() -> Response:
    return await _new_page(FormData())


@blueprint.post("/sponsor/newdocument")
@requires(SPONSOR)
async def create() -> Response:
    form = await form_body(DocumentForm)
    try:
        asked = form.require()
        editor_id = views.chosen_editor(asked.editor_id)
        commission = NewDocument(asked.title, asked.brief, asked.body, editor_id, asked.due_on, in_line(asked.tags))
        async with transaction() as db:
            document_id = await service.commission(db, current_actor(), commission)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _new_page(form, 422)
    return await see_other(f"/sponsor/documents/{document_id}", "The document is commissioned.")


async def _new_page(form: FormData[Any], status: int = 200) -> Response:
    async with reading() as db:
        editors = await accounts.active_editors(db)
    return await page("documents/new.html", status, form=form, editors=editors)


@blueprint.get("/documents/<uuid:document_id>")
@requires()
async def own_page(document_id: UUID) -> Response:
    """Leads to the page on which the actor works on it, by the part they have in it."""
    async with reading() as db:
        document = await service.document(db, current_actor(), document_id)
    parts = service.parts_of(current_actor(), document)
    if not parts:
        raise NotFound
    draft = f"?draft={quote(request.args['draft'], safe='')}" if "draft" in request.args else ""
    return await see_other(f"/{parts[0]}/documents/{document_id}{draft}")


@blueprint.get("/sponsor/documents/<uuid:document_id>")
@requires(SPONSOR)
async def sponsor_document(document_id: UUID) -> Response:
    return await document_page(document_id, "sponsor", FormData())


@blueprint.get("/editor/documents/<uuid:document_id>")
@requires(EDITOR)
async def editor_document(document_id: UUID) -> Response:
    return await document_page(document_id, "editor", FormData())


@blueprint.post("/sponsor/documents/<uuid:document_id>")
@requires(SPONSOR)
async def sponsor_save(document_id: UUID) -> Response:
    return await _save(document_id, "sponsor")


@blueprint.post("/editor/documents/<uuid:document_id>")
@requires(EDITOR)
async def editor_save(document_id: UUID) -> Response:
    return await _save(document_id, "editor")


async def _save(document_id: UUID, part: Part) -> Response:
    form = await form_body(DocumentForm)
    try:
        asked = form.require()
        if form.values.get("merging") and has_marks(asked.body):
            return await conflict_page(document_id, part, form, marks_left=True)
        changes, version = views.changes(asked, part, form.values)
        async with transaction() as db:
            await in_part(db, document_id, part)
            await service.save(db, current_actor(), document_id, changes, version=version, summary=asked.note)
            place = own_place(form.values, document_place(document_id))
            await drafts.saved(db, current_actor(), place, form.values)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await document_page(document_id, part, form, 422)
    except Stale:
        return await conflict_page(document_id, part, form)
    return await see_other(f"/{part}/documents/{document_id}", "Saved. Every version is kept.")


async def _step(document_id: UUID, part: Part, name: str) -> Response:
    if name not in STEPS or STEPS[name].by != part:
        raise NotFound
    note = (await form_body(StepNote)).require().note
    async with transaction() as db:
        await in_part(db, document_id, part)
        step = await service.take_step(db, current_actor(), document_id, name, note)
    return await see_other(f"/{part}/documents/{document_id}", step.done)


@blueprint.post("/sponsor/documents/<uuid:document_id>/<string:name>")
@requires(SPONSOR)
async def sponsor_step(document_id: UUID, name: str) -> Response:
    return await _step(document_id, "sponsor", name)


@blueprint.post("/editor/documents/<uuid:document_id>/<string:name>")
@requires(EDITOR)
async def editor_step(document_id: UUID, name: str) -> Response:
    return await _step(document_id, "editor", name)


async def document_page(
    document_id: UUID, part: Part, form: FormData[Any], status: int = 200, *, comment: FormData[Any] | None = None
) -> Response:
    """The page of a document; `form` is what was typed into its form, `comment` what into the form of comments."""
    async with reading() as db:
        document = await in_part(db, document_id, part)
        versions = await service.versions(db, current_actor(), document_id, before=None, limit=HISTORY)
        steps = await service.steps(db, current_actor(), document_id, after=None, limit=HISTORY)
        talk = await service.comments(db, current_actor(), document_id)
        kept = await drafts.of_text(db, current_actor(), document_place(document_id))
        editors: Sequence[Any] = await accounts.active_editors(db) if part == "sponsor" else ()
    text = await typeset(document.body)
    editable = views.editable(document, part)
    unsaved = [found for one in kept if editable and (found := views.draft_shown(one, document))]
    form.values, draft = begun(
        document_place(document_id), form.values, views.as_typed(document), unsaved, request.args.get("draft", "")
    )
    return await page(
        "documents/show.html",
        status,
        role=part,
        document=views.shown(document),
        form=form,
        editors=views.with_present_editor(editors, document),
        editable=editable,
        draft=draft,
        threads=views.threads(talk),
        talk_mark=views.talk_mark_of(talk),
        comment=comment,
        actions=views.actions(document, part),
        body_html=text.html,
        history=views.history(versions, steps),
        entry_url=views.entry_url(document),
    )
