"""JSON routes of the versions of one's own entries: list, read, compare, restore."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.journal import service
from app.journal.api.entries import WRITERS
from app.journal.schemas import EntryDifference, EntryVersionView, OwnEntry
from app.versions.schemas import CompareQuery, Restoration, VersionPage
from app.web.answers import answer, required_version, versioned
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE, decode_number, encode_number, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("history", __name__)


class EntryHistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of an entry's history."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


@blueprint.get("/v1/entries/<uuid:entry_id>/versions")
@describe(
    "The saves of an entry of mine, newest first", tag="journal", query=EntryHistoryQuery, answers={200: VersionPage}
)
@requires(scope="entries:read")
async def versions(entry_id: UUID) -> Response:
    query = query_args(EntryHistoryQuery)
    before = decode_number(query.cursor, query)
    async with reading() as db:
        found = await service.versions(db, current_actor(), entry_id, before=before, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(VersionPage(items, encode_number(items[-1].version, query) if more else None))


@blueprint.get("/v1/entries/<uuid:entry_id>/versions/<int:number>")
@describe("One save of an entry of mine, with its text", tag="journal", answers={200: EntryVersionView})
@requires(scope="entries:read")
async def version(entry_id: UUID, number: int) -> Response:
    async with reading() as db:
        return answer(await service.version(db, current_actor(), entry_id, number))


@blueprint.get("/v1/entries/<uuid:entry_id>/diff")
@describe(
    "Where two saves of an entry of mine differ, line by line and word by word",
    tag="journal",
    query=CompareQuery,
    answers={200: EntryDifference},
)
@requires(scope="entries:read")
async def diff(entry_id: UUID) -> Response:
    query = query_args(CompareQuery)
    async with reading() as db:
        _, _, found = await service.difference(db, current_actor(), entry_id, query.before, query.after)
    return answer(found)


@blueprint.post("/v1/entries/<uuid:entry_id>/restore")
@describe(
    "Go back to a save of an entry of mine: its text becomes the newest version",
    tag="journal",
    body=Restoration,
    answers={200: OwnEntry},
    errors=(412, 428),
    headers=("If-Match",),
)
@requires(*WRITERS, scope="entries:write")
async def restore(entry_id: UUID) -> Response:
    asked = await json_body(Restoration)
    newest = required_version()
    async with transaction() as db:
        await service.restore(db, current_actor(), entry_id, asked.version, version=newest)
        changed = await service.own(db, current_actor(), entry_id)
    return versioned(changed, changed.version, 200)
