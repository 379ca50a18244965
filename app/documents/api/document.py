"""JSON routes of documents: list, read, commission, change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import SPONSOR
from app.documents import service
from app.documents.life import State
from app.documents.schemas import (
    Chosen,
    DocumentChanges,
    DocumentPage,
    DocumentView,
    NewDocument,
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
    encode_cursor,
    split,
)
from app.web.parsing import json_body, query_args
from app.web.tags import TagWanted, wanted

blueprint = Blueprint("document", __name__)
PAGE = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)]
CURSOR = Annotated[str, msgspec.Meta(max_length=64)]


class DocumentQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which documents, and which part of them.  With `ids` (repeated, up to 100) exactly those that are there for you."""

    limit: PAGE = DEFAULT_PAGE
    cursor: CURSOR | None = None
    ids: Annotated[list[UUID], msgspec.Meta(max_length=LARGEST_PAGE)] = []
    state: State | None = None
    editor_id: UUID | None = None
    sponsor_id: UUID | None = None
    updated_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    tag: TagWanted = ""
    order: Literal["newest", "oldest"] = "newest"


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a document's history."""

    limit: PAGE = DEFAULT_PAGE
    cursor: CURSOR | None = None


@blueprint.get("/v1/documents")
@describe(
    "Documents I may see, last changed first",
    tag="documents",
    query=DocumentQuery,
    answers={200: DocumentPage, 304: None},
)
@requires(scope="documents:read")
async def index() -> Response:
    query = query_args(DocumentQuery)
    after, limit = decode_cursor(query.cursor, query), LARGEST_PAGE if query.ids else query.limit
    chosen = Chosen(query.state, query.editor_id, query.sponsor_id, query.updated_since, tuple(query.ids), query.order)
    chosen = replace(chosen, tag=wanted(query.tag))
    async with reading() as db:
        found = await service.documents(db, current_actor(), part=None, after=after, limit=limit + 1, chosen=chosen)
    items, more = split(found, limit)
    return answer(DocumentPage(items, encode_cursor(items[-1].updated_at, items[-1].id, query) if more else None))


@blueprint.post("/v1/documents")
@describe(
    "Commission a document",
    tag="documents",
    body=NewDocument,
    answers={201: DocumentView},
    errors=(409,),
    headers=("Idempotency-Key", "Prefer"),
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
    answers={200: DocumentView, 204: None},
    errors=(404, 409, 412, 428),
    headers=("If-Match", "Prefer"),
    examples={"text": {"body": "Ink is older than paper."}, "editor": {"editor_id": None}},
)
@requires(scope="documents:write")
async def update(document_id: UUID) -> Response:
    changes = await json_body(DocumentChanges)
    revision = required_version()
    async with transaction() as db:
        await service.save(db, current_actor(), document_id, changes, revision=revision)
        changed = await service.document(db, current_actor(), document_id)
    return versioned(changed, changed.revision)
