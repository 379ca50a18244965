"""JSON routes of documents: list, read, commission, change, hand on, and the saves that were made."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import SPONSOR
from app.documents import service
from app.documents.life import State
from app.documents.schemas import (
    DocumentChanges,
    DocumentPage,
    DocumentView,
    NewDocument,
    StepNote,
    StepPage,
    VersionPage,
)
from app.web.answers import answer, required_version, versioned
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.idempotency import once
from app.web.openapi import describe
from app.web.paging import (
    DEFAULT_PAGE,
    LARGEST_PAGE,
    decode_cursor,
    decode_number,
    encode_cursor,
    encode_number,
    split,
)
from app.web.parsing import json_body, optional_json_body, query_args

blueprint = Blueprint("documents_api", __name__)
PAGE = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)]
CURSOR = Annotated[str, msgspec.Meta(max_length=64)]


class DocumentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which documents."""

    limit: PAGE = DEFAULT_PAGE
    cursor: CURSOR | None = None
    state: State | None = None


class VersionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a document's history."""

    limit: PAGE = DEFAULT_PAGE
    cursor: CURSOR | None = None


@blueprint.get("/v1/documents")
@describe("Documents I may see, last changed first", tag="documents", query=DocumentQuery, answers={200: DocumentPage})
@requires(scope="documents:read")
async def index() -> Response:
    query = query_args(DocumentQuery)
    after = decode_cursor(query.cursor)
    async with reading() as db:
        found = await service.documents(
            db, current_actor(), part=None, state=query.state, after=after, limit=query.limit + 1
        )
    items, more = split(found, query.limit)
    return answer(DocumentPage(items, encode_cursor(items[-1].updated_at, items[-1].id) if more else None))


@blueprint.post("/v1/documents")
@describe(
    "Commission a document",
    tag="documents",
    body=NewDocument,
    answers={201: DocumentView},
    errors=(409,),
    headers=("Idempotency-Key",),
    examples={"commission": {"title": "A history of ink", "brief": "Ten pages, for the curious.", "body": ""}},
)
@requires(SPONSOR, scope="documents:write")
async def create() -> Response:
    new = await json_body(NewDocument)
    async with once() as work:
        if not work.done:
            document_id = await service.commission(work.db, current_actor(), new)
            made = await service.document(work.db, current_actor(), document_id)
            work.response = versioned(made, made.revision, 201, {"Location": f"/api/v1/documents/{document_id}"})
    return work.answer


@blueprint.get("/v1/documents/<uuid:document_id>")
@describe("One document", tag="documents", answers={200: DocumentView, 304: None}, errors=(404,))
@requires(scope="documents:read")
async def show(document_id: UUID) -> Response:
    async with reading() as db:
        found = await service.document(db, current_actor(), document_id)
    return versioned(found, found.revision)


@blueprint.patch("/v1/documents/<uuid:document_id>")
@describe(
    "Change a document's text or editor",
    tag="documents",
    body=DocumentChanges,
    answers={200: DocumentView},
    errors=(404, 409, 412, 428),
    headers=("If-Match",),
)
@requires(scope="documents:write")
async def update(document_id: UUID) -> Response:
    changes = await json_body(DocumentChanges)
    revision = required_version()
    async with transaction() as db:
        await service.save(db, current_actor(), document_id, changes, revision=revision)
        changed = await service.document(db, current_actor(), document_id)
    return versioned(changed, changed.revision)


@blueprint.get("/v1/documents/<uuid:document_id>/versions")
@describe(
    "The saves of a document, newest first",
    tag="documents",
    query=VersionQuery,
    answers={200: VersionPage},
    errors=(404,),
)
@requires(scope="documents:read")
async def versions(document_id: UUID) -> Response:
    query = query_args(VersionQuery)
    before = decode_number(query.cursor)
    async with reading() as db:
        found = await service.versions(db, current_actor(), document_id, before=before, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(VersionPage(items, encode_number(items[-1].version) if more else None))


@blueprint.get("/v1/documents/<uuid:document_id>/steps")
@describe(
    "The steps a document took and who it was given to, newest first",
    tag="documents",
    query=VersionQuery,
    answers={200: StepPage},
    errors=(404,),
)
@requires(scope="documents:read")
async def steps(document_id: UUID) -> Response:
    query = query_args(VersionQuery)
    after = decode_cursor(query.cursor)
    async with reading() as db:
        found = await service.steps(db, current_actor(), document_id, after=after, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(StepPage(items, encode_cursor(items[-1].at, items[-1].id) if more else None))


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
