"""JSON routes of attached files: attach one as the bare body, list, look at, fetch and remove."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response, request

from app.attachments import service
from app.attachments.answers import as_file, file_answer
from app.attachments.schemas import AttachmentPage, AttachmentView, ListQuery, UploadQuery
from app.attachments.store import Store
from app.attachments.taking import attach
from app.web.answers import answer, no_content
from app.web.context import current_actor, extension, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import WrongContentType, query_args, uploaded_form
from app.web.uploads import body_parts

blueprint = Blueprint("attachments_api", __name__)
ONE = "/v1/documents/<uuid:document_id>/attachments/<uuid:attachment_id>"


@blueprint.get("/v1/documents/<uuid:document_id>/attachments")
@describe(
    "The files attached to a document, the last attached first",
    tag="attachments",
    query=ListQuery,
    answers={200: AttachmentPage},
    errors=(404,),
)
@requires(scope="documents:read")
async def index(document_id: UUID) -> Response:
    query = query_args(ListQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await service.attachments(db, current_actor(), document_id, after=after, limit=query.limit + 1)
    items, more = split(found, query.limit)
    cursor = encode_cursor(items[-1].uploaded_at, items[-1].id, query) if more else None
    return answer(AttachmentPage(items, cursor))


@blueprint.post("/v1/documents/<uuid:document_id>/attachments")
@describe(
    "Attach a file: its bytes are the body, its name is in the query; or a form with one file in it",
    tag="attachments",
    query=UploadQuery,
    upload=True,
    answers={201: AttachmentView},
    errors=(404, 409, 413, 415, 422),
)
@requires(scope="documents:write")
async def create(document_id: UUID) -> Response:
    name = query_args(UploadQuery).name
    async with reading() as db:
        await service.may_attach(db, current_actor(), document_id)
    pieces = body_parts()
    if request.mimetype == "multipart/form-data":
        form = await uploaded_form()
        if form.name is None:
            raise WrongContentType("There is no file in this form.")
        name, pieces = name or form.name, form.file()
    elif request.mimetype == "application/x-www-form-urlencoded":
        raise WrongContentType("Send the bytes of the file as the body, with its own type or none.")
    made = await attach(document_id, name, pieces)
    return answer(made, 201, {"Location": f"/api/v1/documents/{document_id}/attachments/{made.id}"})


@blueprint.get(ONE)
@describe("What is known of an attached file", tag="attachments", answers={200: AttachmentView}, errors=(404,))
@requires(scope="documents:read")
async def show(document_id: UUID, attachment_id: UUID) -> Response:
    async with reading() as db:
        return answer(await service.attachment(db, current_actor(), document_id, attachment_id))


@blueprint.get(f"{ONE}/content")
@describe(
    "The bytes of an attached file",
    tag="attachments",
    answers={200: None, 304: None},
    errors=(404,),
    file_type="*/*",
)
@as_file
@requires(scope="documents:read")
async def content(document_id: UUID, attachment_id: UUID) -> Response:
    async with reading() as db:
        found = await service.attachment(db, current_actor(), document_id, attachment_id)
    return await file_answer(extension(Store), found)


@blueprint.delete(ONE)
@describe("Remove an attached file", tag="attachments", answers={204: None}, errors=(404, 409))
@requires(scope="documents:write")
async def remove(document_id: UUID, attachment_id: UUID) -> Response:
    async with transaction() as db:
        await service.remove(db, current_actor(), document_id, attachment_id)
    return no_content()
