"""HTML routes of writing: a new entry, one of any number of unfinished ones, and the list of what one has published."""

from __future__ import annotations

from quart import Blueprint, Response, request

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.drafts import service as drafts
from app.drafts.schemas import ENTRY, DraftView, entry_draft, new_place
from app.errors import Invalid, NotFound
from app.journal import service
from app.journal.schemas import EntryForm, NewEntry
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.tags import in_line

blueprint = Blueprint("writing", __name__)
WRITERS = (MEMBER, SPONSOR, EDITOR, ADMIN)
PAGE = 50


@blueprint.get("/entry")
@requires(*WRITERS)
async def new() -> Response:
    """An empty page, whatever else is unfinished; with `draft` the one named, or the newest for `draft=1`."""
    wanted = request.args.get("draft", "")
    async with reading() as db:
        unfinished = await drafts.unfinished_entries(db, current_actor())
    form: FormData[EntryForm] = FormData(values={"place": new_place()})
    if not wanted:
        return await _new_page(form, unfinished=unfinished)
    opened = next((draft for draft in unfinished if wanted in ("1", entry_draft(draft.place))), None)
    if opened is None:
        raise NotFound("There is no such draft. It was published, or thrown away.")
    form.values = {
        "title": opened.title,
        "body": opened.body,
        "tags": opened.tags or "",
        "place": opened.place,
        "seen": opened.saved_at.isoformat(),
    }
    return await _new_page(form, opened=opened)


@blueprint.post("/entry")
@requires(*WRITERS)
async def create() -> Response:
    form = await form_body(EntryForm)
    place = form.values.setdefault("place", ENTRY)
    try:
        asked = form.require()
        async with transaction() as db:
            new = NewEntry(asked.title, asked.body, in_line(asked.tags))
            entry_id = await service.write(db, current_actor(), new)
            await drafts.saved(db, current_actor(), place, form.values)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _new_page(form, 422)
    return await see_other(f"/entry/{entry_id}", "Published. Everybody can read it now.")


@blueprint.get("/entries")
@requires(*WRITERS)
async def index() -> Response:
    """What the actor has published, withdrawn entries among it."""
    cursor = request.args.get("cursor")
    async with reading() as db:
        found = await service.own_entries(db, current_actor(), after=decode_cursor(cursor), limit=PAGE + 1)
    rows, more = split(found, PAGE)
    return await page(
        "journal/own.html",
        entries=rows,
        next_url=f"/entries?cursor={encode_cursor(rows[-1].published_at, rows[-1].id)}" if more else "",
        previous_url="/entries" if cursor else "",
    )


async def _new_page(
    form: FormData[EntryForm],
    status: int = 200,
    *,
    unfinished: list[DraftView] | None = None,
    opened: DraftView | None = None,
) -> Response:
    return await page("journal/new.html", status, form=form, unfinished=unfinished or [], opened=opened)
