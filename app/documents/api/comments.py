"""JSON routes of comments: list, write, resolve, open again."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.documents import service
from app.documents.api.document import HistoryQuery
from app.documents.schemas import CommentPage, CommentView, NewComment
from app.web.answers import answer, no_content
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.idempotency import once
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("comments", __name__)


@blueprint.get("/v1/documents/<uuid:document_id>/comments")
@describe(
    "What was said about a document, oldest first; `place` is where a passage stands now, null when it is gone",
    tag="documents",
    query=HistoryQuery,
    answers={200: CommentPage, 304: None},
    errors=(404,),
)
@requires(scope="documents:read")
async def index(document_id: UUID) -> Response:
    query = query_args(HistoryQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await service.comments(db, current_actor(), document_id, after=after, limit=query.limit + 1)
    items, more = split(found, query.limit)
    return answer(CommentPage(items, encode_cursor(items[-1].created_at, items[-1].id, query) if more else None))


@blueprint.post("/v1/documents/<uuid:document_id>/comments")
@describe(
    "Comment on a document, on a passage of it, or reply",
    tag="documents",
    body=NewComment,
    answers={201: CommentView},
    errors=(404, 409),
    headers=("Idempotency-Key",),
)
@requires(scope="documents:write")
async def create(document_id: UUID) -> Response:
    new = await json_body(NewComment)
    async with once() as work:
        if not work.done:
            comment_id = await service.comment(work.db, current_actor(), document_id, new)
            made = await service.one_comment(work.db, current_actor(), document_id, comment_id)
            work.response = answer(made, 201)
    return work.answer


@blueprint.post("/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/resolve")
@describe("Resolve a comment and its replies", tag="documents", answers={204: None}, errors=(404,))
@requires(scope="documents:write")
async def resolve(document_id: UUID, comment_id: UUID) -> Response:
    async with transaction() as db:
        await service.settle(db, current_actor(), document_id, comment_id, resolved=True)
    return no_content()


@blueprint.post("/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/reopen")
@describe("Open a resolved comment again", tag="documents", answers={204: None}, errors=(404,))
@requires(scope="documents:write")
async def reopen(document_id: UUID, comment_id: UUID) -> Response:
    async with transaction() as db:
        await service.settle(db, current_actor(), document_id, comment_id, resolved=False)
    return no_content()
