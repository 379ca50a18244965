"""HTML routes of a document's versions: the list, one of them, two side by side, and going back to one."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.access import EDITOR, SPONSOR
from app.documents import service, views
from app.documents.life import Part
from app.documents.pages.part import in_part
from app.errors import Invalid, Stale
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


@blueprint.get("/sponsor/documents/<uuid:document_id>/versions")
@requires(SPONSOR)
async def sponsor_versions(document_id: UUID) -> Response:
    return await _versions(document_id, "sponsor")


@blueprint.get("/editor/documents/<uuid:document_id>/versions")
@requires(EDITOR)
async def editor_versions(document_id: UUID) -> Response:
    return await _versions(document_id, "editor")


async def _versions(document_id: UUID, part: Part) -> Response:
    cursor = query_args(VersionsOnPage).cursor
    async with reading() as db:
        document = await in_part(db, document_id, part)
        before = decode_number(cursor)
        found = await service.versions(db, current_actor(), document_id, before=before, limit=PAGE + 1)
    rows, more = split(found, PAGE)
    here = f"/{part}/documents/{document_id}"
    return await page(
        "documents/versions.html",
        role=part,
        document=views.shown(document),
        here=here,
        versions=rows,
        editable=views.editable(document, part),
        next_url=f"{here}/versions?cursor={encode_number(rows[-1].version)}" if more else None,
        previous_url=f"{here}/versions" if cursor else None,
    )


@blueprint.get("/sponsor/documents/<uuid:document_id>/versions/<int:number>")
@requires(SPONSOR)
async def sponsor_version(document_id: UUID, number: int) -> Response:
    return await _version(document_id, number, "sponsor")


@blueprint.get("/editor/documents/<uuid:document_id>/versions/<int:number>")
@requires(EDITOR)
async def editor_version(document_id: UUID, number: int) -> Response:
    return await _version(document_id, number, "editor")


async def _version(document_id: UUID, number: int, part: Part) -> Response:
    async with reading() as db:
        document = await in_part(db, document_id, part)
        kept = await service.version(db, current_actor(), document_id, number)
    text = await typeset(kept.body)
    return await page(
        "documents/version.html",
        role=part,
        document=views.shown(document),
        here=f"/{part}/documents/{document_id}",
        kept=kept,
        body_html=text.html,
        editable=views.editable(document, part),
    )


@blueprint.get("/sponsor/documents/<uuid:document_id>/compare")
@requires(SPONSOR)
async def sponsor_compare(document_id: UUID) -> Response:
    return await _compare(document_id, "sponsor")


@blueprint.get("/editor/documents/<uuid:document_id>/compare")
@requires(EDITOR)
async def editor_compare(document_id: UUID) -> Response:
    return await _compare(document_id, "editor")


async def _compare(document_id: UUID, part: Part) -> Response:
    pair = query_args(CompareQuery)
    async with reading() as db:
        document = await in_part(db, document_id, part)
        old, new, found = await service.difference(
            db, current_actor(), document_id, min(pair.before, pair.after), max(pair.before, pair.after)
        )
    return await page(
        "documents/compare.html",
        role=part,
        document=views.shown(document),
        here=f"/{part}/documents/{document_id}",
        old=old,
        new=new,
        found=found,
        editable=views.editable(document, part),
    )


@blueprint.post("/sponsor/documents/<uuid:document_id>/versions/<int:number>/restore")
@requires(SPONSOR)
async def sponsor_restore(document_id: UUID, number: int) -> Response:
    return await _restore(document_id, number, "sponsor")


@blueprint.post("/editor/documents/<uuid:document_id>/versions/<int:number>/restore")
@requires(EDITOR)
async def editor_restore(document_id: UUID, number: int) -> Response:
    return await _restore(document_id, number, "editor")


async def _restore(document_id: UUID, number: int, part: Part) -> Response:
    here = f"/{part}/documents/{document_id}"
    try:
        newest = (await form_body(RestoreForm)).require().version
        async with transaction() as db:
            await in_part(db, document_id, part)
            await service.restore(db, current_actor(), document_id, number, version=newest)
    except (Invalid, Stale):
        said = "Nothing was restored: somebody saved in between. Look at what is there now, then decide again."
        return await see_other(f"{here}/versions", said, "warning")
    return await see_other(here, f"Version {number} is restored, as a new version.")
