"""JSON routes of a document's life: the steps it took, and taking one."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.documents import service
from app.documents.api.document import HistoryQuery
from app.documents.schemas import DocumentView, StepNote, StepPage
from app.web.answers import answer, versioned
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import optional_json_body, query_args

blueprint = Blueprint("steps", __name__)


@blueprint.get("/v1/documents/<uuid:document_id>/steps")
@describe(
    "The steps a document took and who it was given to, newest first",
    tag="documents",
    query=HistoryQuery,
    answers={200: StepPage},
    errors=(404,),
)
@requires(scope="documents:read")
async def steps(document_id: UUID) -> Response:
    query = query_args(HistoryQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await service.steps(db, current_actor(), document_id, after=after, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(StepPage(items, encode_cursor(items[-1].at, items[-1].id, query) if more else None))


async def _step(document_id: UUID, name: str) -> Response:
    note = (await optional_json_body(StepNote)).note
    async with transaction() as db:
        await service.take_step(db, current_actor(), document_id, name, note)
        changed = await service.document(db, current_actor(), document_id)
    return versioned(changed, changed.revision, 200)


STEP = {
    "tag": "documents",
    "body": StepNote,
    "body_required": False,
    "answers": {200: DocumentView},
    "errors": (404, 409),
}


@blueprint.post("/v1/documents/<uuid:document_id>/hand-in")
@describe("Hand a document in", **STEP)
@requires(scope="documents:write")
async def hand_in(document_id: UUID) -> Response:
    return await _step(document_id, "hand-in")


@blueprint.post("/v1/documents/<uuid:document_id>/return")
@describe("Return a document for changes", **STEP)
@requires(scope="documents:write")
async def give_back(document_id: UUID) -> Response:
    return await _step(document_id, "return")


@blueprint.post("/v1/documents/<uuid:document_id>/accept")
@describe("Accept a document", **STEP)
@requires(scope="documents:write")
async def accept(document_id: UUID) -> Response:
    return await _step(document_id, "accept")


@blueprint.post("/v1/documents/<uuid:document_id>/publish")
@describe("Publish a document in the journal", **STEP)
@requires(scope="documents:write")
async def publish(document_id: UUID) -> Response:
    return await _step(document_id, "publish")


@blueprint.post("/v1/documents/<uuid:document_id>/cancel")
@describe("Cancel a commission", **STEP)
@requires(scope="documents:write")
async def cancel(document_id: UUID) -> Response:
    return await _step(document_id, "cancel")


@blueprint.post("/v1/documents/<uuid:document_id>/unpublish")
@describe("Withdraw a published document from the journal", **STEP)
@requires(scope="documents:write")
async def unpublish(document_id: UUID) -> Response:
    return await _step(document_id, "unpublish")


@blueprint.post("/v1/documents/<uuid:document_id>/archive")
@describe("Archive a document that is published or cancelled", **STEP)
@requires(scope="documents:write")
async def archive(document_id: UUID) -> Response:
    return await _step(document_id, "archive")


@blueprint.post("/v1/documents/<uuid:document_id>/unarchive")
@describe("Take a document out of the archive", **STEP)
@requires(scope="documents:write")
async def unarchive(document_id: UUID) -> Response:
    return await _step(document_id, "unarchive")
