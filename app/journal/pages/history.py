"""HTML routes of the versions of one's own entries: the list, one of them, two side by side, and going back to one."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.errors import Invalid, Stale
from app.journal import service
from app.journal.pages.editing import own_entry
from app.journal.pages.writing import WRITERS
from app.versions.schemas import CompareQuery, RestoreForm, VersionsOnPage
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.paging import decode_number, encode_number, split
from app.web.parsing import form_body, query_args
from app.web.redirects import see_other
from app.web.render import page
from app.web.typesetting import typeset

blueprint = Blueprint("history", __name__)
PAGE = 50


@blueprint.get("/entry/<uuid:entry_id>/versions")
@requires(*WRITERS)
async def versions(entry_id: UUID) -> Response:
    cursor = query_args(VersionsOnPage).cursor
    before = decode_number(cursor)
    async with reading() as db:
        entry = await own_entry(db, entry_id)
        found = await service.versions(db, current_actor(), entry_id, before=before, limit=PAGE + 1)
    rows, more = split(found, PAGE)
    here = f"/entry/{entry_id}"
    return await page(
        "journal/versions.html",
        entry=entry,
        here=here,
        versions=rows,
        next_url=f"{here}/versions?cursor={encode_number(rows[-1].version)}" if more else "",
        previous_url=f"{here}/versions" if cursor else "",
    )


@blueprint.get("/entry/<uuid:entry_id>/versions/<int:number>")
@requires(*WRITERS)
async def version(entry_id: UUID, number: int) -> Response:
    async with reading() as db:
        entry = await own_entry(db, entry_id)
        kept = await service.version(db, current_actor(), entry_id, number)
    text = await typeset(kept.body)
    return await page("journal/version.html", entry=entry, here=f"/entry/{entry_id}", kept=kept, body_html=text.html)


@blueprint.get("/entry/<uuid:entry_id>/compare")
@requires(*WRITERS)
async def compare(entry_id: UUID) -> Response:
    pair = query_args(CompareQuery)
    before, after = sorted((pair.before, pair.after))
    async with reading() as db:
        entry = await own_entry(db, entry_id)
        old, new, found = await service.difference(db, current_actor(), entry_id, before, after)
    return await page("journal/compare.html", entry=entry, here=f"/entry/{entry_id}", old=old, new=new, found=found)


@blueprint.post("/entry/<uuid:entry_id>/versions/<int:number>/restore")
@requires(*WRITERS)
async def restore(entry_id: UUID, number: int) -> Response:
    try:
        newest = (await form_body(RestoreForm)).require().version
        async with transaction() as db:
            await service.restore(db, current_actor(), entry_id, number, version=newest)
    except (Invalid, Stale):
        said = "Nothing was restored: it was saved in between. Look at what is there now, then decide again."
        return await see_other(f"/entry/{entry_id}/versions", said, "warning")
    return await see_other(f"/entry/{entry_id}", f"Version {number} is restored, as a new version.")
