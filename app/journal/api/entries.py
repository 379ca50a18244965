"""JSON routes of entries: reading, which needs no token, and writing, changing and withdrawing one's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.journal import service
from app.journal.schemas import Chosen, EntryChanges, EntryPage, EntryView, NewEntry, Order, OwnEntry
from app.web.answers import answer, no_content, required_version, versioned
from app.web.context import current_actor, reading, transaction
from app.web.guards import public, requires
from app.web.idempotency import once
from app.web.openapi import describe
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE, decode_cursor, encode_cursor, split
from app.web.parsing import json_body, query_args
from app.web.tags import TagWanted, wanted

blueprint = Blueprint("entries", __name__)
WRITERS = (MEMBER, SPONSOR, EDITOR, ADMIN)


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries, and which part of them.  With `ids` (repeated, up to 100) exactly those that are there."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    ids: Annotated[list[UUID], msgspec.Meta(max_length=LARGEST_PAGE)] = []
    author_id: UUID | None = None
    published_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    published_before: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    order: Order = "newest"
    tag: TagWanted = ""


@blueprint.get("/v1/entries")
@describe("The journal", tag="journal", query=ListQuery, answers={200: EntryPage, 304: None})
@public
async def index() -> Response:
    query = query_args(ListQuery)
    chosen = Chosen(
        query.author_id, query.published_from, query.published_before, tuple(query.ids), query.order, wanted(query.tag)
    )
    limit = LARGEST_PAGE if query.ids else query.limit
    async with reading() as db:
        found = await service.entries(db, after=decode_cursor(query.cursor, query), limit=limit + 1, chosen=chosen)
    items, more = split(found, limit)
    cursor = encode_cursor(items[-1].published_at, items[-1].id, query) if more else None
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
@requires(*WRITERS, scope="entries:write")
async def create() -> Response:
    new = await json_body(NewEntry)
    async with once() as work:
        if not work.done:
            entry_id = await service.write(work.db, current_actor(), new)
            entry = await service.entry(work.db, entry_id)
            work.response = versioned(entry, entry.version, 201, {"Location": f"/api/v1/entries/{entry_id}"})
    return work.answer


@blueprint.patch("/v1/entries/<uuid:entry_id>")
@describe(
    "Change an entry of mine; every save is a version",
    tag="journal",
    body=EntryChanges,
    answers={200: OwnEntry, 204: None},
    errors=(404, 412, 428),
    headers=("If-Match", "Prefer"),
    examples={"text": {"body": "A *scriptorium* was a room for writing."}, "tags": {"tags": ["copying"]}},
)
@requires(*WRITERS, scope="entries:write")
async def update(entry_id: UUID) -> Response:
    changes = await json_body(EntryChanges)
    version = required_version()
    async with transaction() as db:
        await service.edit(db, current_actor(), entry_id, changes, version=version)
        changed = await service.own(db, current_actor(), entry_id)
    return versioned(changed, changed.version)


@blueprint.delete("/v1/entries/<uuid:entry_id>")
@describe(
    "Withdraw an entry of mine: its readers are told so, its history is kept",
    tag="journal",
    answers={204: None},
    errors=(404, 410),
)
@requires(*WRITERS, scope="entries:write")
async def withdraw(entry_id: UUID) -> Response:
    async with transaction() as db:
        await service.take_back(db, current_actor(), entry_id)
    return no_content()


@blueprint.post("/v1/entries/<uuid:entry_id>/publish")
@describe("Bring an entry of mine back that I withdrew", tag="journal", answers={200: OwnEntry}, errors=(404, 409))
@requires(*WRITERS, scope="entries:write")
async def publish(entry_id: UUID) -> Response:
    async with transaction() as db:
        await service.bring_back(db, current_actor(), entry_id)
        found = await service.own(db, current_actor(), entry_id)
    return versioned(found, found.version, 200)
