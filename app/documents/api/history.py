"""JSON routes of a document's versions: list, read, compare, restore."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.documents import service
from app.documents.api.document import HistoryQuery
from app.documents.schemas import Difference, DocumentView, VersionView
from app.versions.schemas import CompareQuery, Restoration, VersionPage
from app.web.answers import answer, required_version, versioned
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import decode_number, encode_number, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("history", __name__)


@blueprint.get("/v1/documents/<uuid:document_id>/versions")
@describe(
    "The saves of a document, newest first",
    tag="documents",
    query=HistoryQuery,
    answers={200: VersionPage},
    errors=(404,),
)
@requires(scope="documents:read")
async def versions(document_id: UUID) -> Response:
    query = query_args(HistoryQuery)
    before = decode_number(query.cursor, query)
    async with reading() as db:
        found = await service.versions(db, current_actor(), document_id, before=before, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(VersionPage(items, encode_number(items[-1].version, query) if more else None))


@blueprint.get("/v1/documents/<uuid:document_id>/versions/<int:number>")
@describe("One save with its text", tag="documents", answers={200: VersionView}, errors=(404,))
@requires(scope="documents:read")
async def version(document_id: UUID, number: int) -> Response:
    async with reading() as db:
        return answer(await service.version(db, current_actor(), document_id, number))


@blueprint.get("/v1/documents/<uuid:document_id>/diff")
@describe(
    "Where two saves differ, line by line and word by word",
    tag="documents",
    query=CompareQuery,
    answers={200: Difference},
    errors=(404,),
)
@requires(scope="documents:read")
async def diff(document_id: UUID) -> Response:
    query = query_args(CompareQuery)
    async with reading() as db:
        _, _, found = await service.difference(db, current_actor(), document_id, query.before, query.after)
    return answer(found)


@blueprint.post("/v1/documents/<uuid:document_id>/restore")
@describe(
    "Go back to a save: its text becomes the newest version",
    tag="documents",
    body=Restoration,
    answers={200: DocumentView},
    errors=(404, 409, 412, 428),
    headers=("If-Match",),
)
@requires(scope="documents:write")
async def restore(document_id: UUID) -> Response:
    asked = await json_body(Restoration)
    revision = required_version()
    async with transaction() as db:
        await service.restore(db, current_actor(), document_id, asked.version, revision=revision)
        changed = await service.document(db, current_actor(), document_id)
    return versioned(changed, changed.revision)
