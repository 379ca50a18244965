"""HTML routes of attached files: the page that lists them, the form that takes one in, and the files themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart import Blueprint, Response

from app.access import EDITOR, SPONSOR
from app.attachments import service
from app.attachments.answers import as_file, file_answer, picture_answer
from app.attachments.kinds import in_words
from app.attachments.names import markdown
from app.attachments.pictures import Gallery
from app.attachments.schemas import Attached, AttachmentView, NotAttached
from app.attachments.store import Store
from app.attachments.taking import attach
from app.documents import service as documents
from app.documents.service import parts_of
from app.errors import Conflict, DomainError, Forbidden, Invalid, NotActive, NotAuthenticated, NotFound
from app.web.answers import answer
from app.web.context import current_actor, extension, reading, transaction
from app.web.guards import public, requires
from app.web.paging import LARGEST_PAGE
from app.web.parsing import FormData, TooLarge, WrongContentType, uploaded_form
from app.web.redirects import see_other
from app.web.render import page
from app.workshop.service import Unworkable

blueprint = Blueprint("attachments", __name__)
ALL = "/documents/<uuid:document_id>/attachments"
ONE = f"{ALL}/<uuid:attachment_id>"
_TAKEN_BACK = (Invalid, TooLarge, WrongContentType, service.DocumentFull)


@blueprint.get(ALL)
@requires()
async def index(document_id: UUID) -> Response:
    return await _list(document_id)


@blueprint.post(ALL)
@requires(SPONSOR, EDITOR)
async def create(document_id: UUID) -> Response:
    async with reading() as db:
        await service.may_attach(db, current_actor(), document_id)
    form = await uploaded_form()
    try:
        if not form.name:
            raise Invalid({"file": ["Choose a file first."]})
        made = await attach(document_id, form.name, form.file())
    except _TAKEN_BACK as error:
        return await _list(document_id, error)
    return await see_other(f"/documents/{document_id}/attachments", f"“{made.name}” is attached.")


@blueprint.post(f"{ALL}/new")
@requires(SPONSOR, EDITOR)
async def create_beside(document_id: UUID) -> Response:
    """The same for the script of the writing page, which goes on showing its page and says what became of the file."""
    async with reading() as db:
        await service.may_attach(db, current_actor(), document_id)
    form = await uploaded_form()
    try:
        if not form.name:
            raise Invalid({"file": ["Choose a file first."]})
        made = await attach(document_id, form.name, form.file())
    except _TAKEN_BACK as error:
        words = [word for messages in error.errors.values() for word in messages] if isinstance(error, Invalid) else []
        return answer(NotAttached(" ".join(words) or error.detail), error.status)
    told = Attached(
        made.name, made.page_url, made.image_url is not None, markdown(made.name, made.page_url, made.image_url)
    )
    return answer(told, 201, {"Cache-Control": "no-store"})


async def _list(document_id: UUID, error: DomainError | None = None) -> Response:
    actor = current_actor()
    async with reading() as db:
        document = await documents.document(db, actor, document_id)
        files = await service.attachments(db, actor, document_id, after=None, limit=LARGEST_PAGE)
        may = await _may(db, document_id)
    parts = parts_of(actor, document)
    form: FormData[Any] = FormData()
    if error is not None:
        form.errors = error.errors if isinstance(error, Invalid) else {"file": [error.detail]}
    return await page(
        "attachments/index.html",
        200 if error is None else error.status,
        document=document,
        document_url=f"/{parts[0]}/documents/{document_id}" if parts else None,
        files=files,
        may_attach=may,
        in_words=in_words,
        form=form,
    )


async def _may(db: Any, document_id: UUID) -> bool:
    try:
        await service.may_attach(db, current_actor(), document_id)
    except (Forbidden, Conflict):
        return False
    return True


@blueprint.post(f"{ONE}/remove")
@requires(SPONSOR, EDITOR)
async def remove(document_id: UUID, attachment_id: UUID) -> Response:
    async with transaction() as db:
        await service.remove(db, current_actor(), document_id, attachment_id)
    return await see_other(f"/documents/{document_id}/attachments", "The file is no longer attached.")


@blueprint.get(ONE)
@as_file
@public
async def content(document_id: UUID, attachment_id: UUID) -> Response:
    return await file_answer(extension(Store), await _seen(document_id, attachment_id))


@blueprint.get(f"{ONE}/image")
@as_file
@public
async def image(document_id: UUID, attachment_id: UUID) -> Response:
    found = await _seen(document_id, attachment_id)
    if found.image_url is None:
        raise NotFound
    try:
        kind, pieces = await extension(Gallery).picture(found.sha256)
    except Unworkable:
        raise NotFound("This picture cannot be shown. It can still be downloaded.") from None
    return picture_answer(kind, pieces, found)


async def _seen(document_id: UUID, attachment_id: UUID) -> AttachmentView:
    """The file, if the caller may have it: with the document, or because a published entry shows it."""
    actor = current_actor()
    async with reading() as db:
        try:
            return await service.attachment(db, actor, document_id, attachment_id)
        except NotFound:
            if not actor.signed_in:
                raise NotAuthenticated from None
            if not actor.active:
                raise NotActive(actor.status) from None
            raise
