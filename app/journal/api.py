"""JSON routes of the journal; reading needs no token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.journal import service
from app.journal.schemas import Chosen, EntryPage, EntryView, NewEntry, Order
from app.web.answers import answer, versioned
from app.web.context import current_actor, reading
from app.web.guards import public, requires
from app.web.idempotency import once
from app.web.openapi import describe
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE, decode_cursor, encode_cursor, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("journal_api", __name__)


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries, and which part of them.  With `ids` (repeated, up to 100) exactly those that are there."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    ids: Annotated[list[UUID], msgspec.Meta(max_length=LARGEST_PAGE)] = []
    author_id: UUID | None = None
    published_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    published_before: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    order: Order = "newest"


@blueprint.get("/v1/entries")
@describe("The journal", tag="journal", query=ListQuery, answers={200: EntryPage, 304: None})
@public
async def index() -> Response:
    query = query_args(ListQuery)
    chosen = Chosen(query.author_id, query.published_from, query.published_before, tuple(query.ids), query.order)
    limit = LARGEST_PAGE if query.ids else query.limit
    async with reading() as db:
        found = await service.entries(db, after=decode_cursor(query.cursor), limit=limit + 1, chosen=chosen)
    items, more = split(found, limit)
    cursor = encode_cursor(items[-1].published_at, items[-1].id) if more else None
    return answer(EntryPage(items, cursor))


@blueprint.get("/v1/entries/<uuid:entry_id>")
@describe("One journal entry", tag="journal", answers={200: EntryView, 304: None}, errors=(404, 410))
@public
async def show(entry_id: UUID) -> Response:
    async with reading() as db:
        entry = await service.entry(db, entry_id)
    return versioned(entry, entry.version)


@blueprint.post("/v1/entries")
@describe(
    "Publish a journal entry",
    tag="journal",
    body=NewEntry,
    answers={201: EntryView},
    errors=(409,),
    headers=("Idempotency-Key", "Prefer"),
    examples={"short": {"title": "On copying", "body": "A *scriptorium* is a room for writing."}},
)
@requires(MEMBER, SPONSOR, EDITOR, ADMIN, scope="entries:write")
async def create() -> Response:
    new = await json_body(NewEntry)
    async with once() as work:
        if not work.done:
            entry_id = await service.write(work.db, current_actor(), new)
            entry = await service.entry(work.db, entry_id)
            work.response = versioned(entry, entry.version, 201, {"Location": f"/api/v1/entries/{entry_id}"})
    return work.answer
