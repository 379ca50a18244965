"""HTML routes of writing a new entry."""

from __future__ import annotations

from quart import Blueprint, Response, request

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.drafts import service as drafts
from app.drafts.schemas import ENTRY
from app.errors import Invalid
from app.journal import service
from app.journal.schemas import EntryForm, NewEntry
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.tags import in_line

blueprint = Blueprint("writing", __name__)
WRITERS = (MEMBER, SPONSOR, EDITOR, ADMIN)


@blueprint.get("/entry")
@requires(*WRITERS)
async def new() -> Response:
    async with reading() as db:
        draft = await drafts.draft(db, current_actor(), ENTRY)
    form: FormData[EntryForm] = FormData()
    found = None
    if draft is not None:
        found = {"place": draft.place, "saved_at": draft.saved_at, "open": "draft" in request.args}
        if found["open"]:
            form.values = {"title": draft.title, "body": draft.body, "tags": draft.tags or ""}
    return await page("journal/new.html", form=form, draft=found)


@blueprint.post("/entry")
@requires(*WRITERS)
async def create() -> Response:
    form = await form_body(EntryForm)
    try:
        asked = form.require()
        async with transaction() as db:
            new = NewEntry(asked.title, asked.body, in_line(asked.tags))
            entry_id = await service.write(db, current_actor(), new)
            await drafts.discard(db, current_actor(), ENTRY)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await page("journal/new.html", 422, form=form, draft=None)
    return await see_other(f"/entry/{entry_id}", "Published. Everybody can read it now.")
