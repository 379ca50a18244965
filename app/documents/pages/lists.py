"""HTML routes of many documents: the sponsor's and the editor's dashboards and lists."""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, Response, request

from app.access import EDITOR, SPONSOR
from app.documents import service, views
from app.documents.life import Part
from app.documents.schemas import Chosen
from app.web.context import current_actor, reading
from app.web.guards import requires
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.render import page
from app.web.tags import tag

blueprint = Blueprint("lists", __name__)
PAGE = 30
ON_DASHBOARD = 100


async def _dashboard(part: Part) -> Response:
    async with reading() as db:
        rows = await service.documents(db, current_actor(), part=part, state=None, after=None, limit=ON_DASHBOARD)
        late = await service.late(db, current_actor(), part=part)
        waiting = await service.waiting(db, current_actor(), part=part)
        counts = await service.counts(db, current_actor(), part=part)
    groups = views.groups(rows, late, part)
    return await page(f"documents/{part}_dashboard.html", groups=groups, waiting=waiting, counts=views.ordered(counts))


async def _index(part: Part) -> Response:
    cursor = request.args.get("cursor")
    wanted = tag(request.args.get("tag", ""))
    given = {"tag": wanted}
    async with reading() as db:
        found = await service.documents(
            db,
            current_actor(),
            part=part,
            after=decode_cursor(cursor, given),
            limit=PAGE + 1,
            chosen=Chosen(tag=wanted),
        )
    rows, more = split(found, PAGE)
    everything = f"/{part}/documents"
    here = f"{everything}?{urlencode({'tag': wanted})}" if wanted else everything
    following = encode_cursor(rows[-1].updated_at, rows[-1].id, given) if more else ""
    return await page(
        "documents/index.html",
        documents=[views.row(found, part) for found in rows],
        next_url=f"{here}{'&' if wanted else '?'}cursor={following}" if more else None,
        previous_url=here if cursor else None,
        role=part,
        tag=wanted,
        heading="Documents you commissioned" if part == "sponsor" else "Documents assigned to you",
    )


@blueprint.get("/sponsor/dashboard")
@requires(SPONSOR)
async def sponsor_dashboard() -> Response:
    return await _dashboard("sponsor")


@blueprint.get("/editor/dashboard")
@requires(EDITOR)
async def editor_dashboard() -> Response:
    return await _dashboard("editor")


@blueprint.get("/sponsor/documents")
@requires(SPONSOR)
async def sponsor_documents() -> Response:
    return await _index("sponsor")


@blueprint.get("/editor/documents")
@requires(EDITOR)
async def editor_documents() -> Response:
    return await _index("editor")
