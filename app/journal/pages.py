"""HTML routes of the journal: the front page, one entry, and writing one."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response, request

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.drafts import service as drafts
from app.drafts.schemas import ENTRY
from app.errors import Invalid
from app.journal import service
from app.journal.schemas import NewEntry
from app.web.context import current_actor, reading, transaction
from app.web.guards import public, requires
from app.web.markdown import excerpt
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.typesetting import typeset

blueprint = Blueprint("journal", __name__)
PAGE = 20
EXCERPT = 280


@blueprint.get("/")
@public
async def index() -> Response:
    cursor = request.args.get("cursor")
    after = decode_cursor(cursor)
    async with reading() as db:
        found = await service.entries(db, after=after, limit=PAGE + 1, whole=False)
    shown, more = split(found, PAGE)
    entries = [
        {
            "id": entry.id,
            "title": entry.title,
            "excerpt": excerpt(entry.body, EXCERPT),
            "author_name": entry.author.display_name,
            "published_at": entry.published_at,
            "url": f"/entry/{entry.id}",
        }
        for entry in shown
    ]
    following = f"/?cursor={encode_cursor(shown[-1].published_at, shown[-1].id)}" if more else None
    return await page("journal/index.html", entries=entries, next_url=following, previous_url="/" if cursor else None)


@blueprint.get("/entry/<uuid:entry_id>")
@public
async def show(entry_id: UUID) -> Response:
    async with reading() as db:
        entry = await service.entry(db, entry_id)
    reading_of = await typeset(entry.body)
    return await page(
        "journal/entry.html",
        entry={
            "id": entry.id,
            "title": entry.title,
            "author_name": entry.author.display_name,
            "published_at": entry.published_at,
            "updated_at": entry.updated_at,
        },
        body_html=reading_of.html,
        contents=reading_of.contents,
        document_note="Commissioned and published by a sponsor." if entry.document_id else None,
    )


@blueprint.get("/entry")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def new() -> Response:
    async with reading() as db:
        draft = await drafts.draft(db, current_actor(), ENTRY)
    form: FormData[NewEntry] = FormData()
    found = None
    if draft is not None:
        found = {"place": draft.place, "saved_at": draft.saved_at, "open": "draft" in request.args}
        if found["open"]:
            form.values = {"title": draft.title, "body": draft.body}
    return await page("journal/new.html", form=form, draft=found)


@blueprint.post("/entry")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def create() -> Response:
    form = await form_body(NewEntry)
    try:
        entry = form.require()
    except Invalid:
        return await page("journal/new.html", 422, form=form, draft=None)
    async with transaction() as db:
        entry_id = await service.write(db, current_actor(), entry)
        await drafts.discard(db, current_actor(), ENTRY)
    return await see_other(f"/entry/{entry_id}", "Published. Everybody can read it now.")
