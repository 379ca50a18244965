"""HTML routes of attached files: the page that lists them, the form that takes one in, and the files themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart import Blueprint, Response

from app.access import EDITOR, SPONSOR
from app.attachments import service
from app.attachments.answers import (
    addressed,
    as_file_anywhere,
    elsewhere,
    file_answer,
    picture_answer,
    to_the_site,
)
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
from app.web.file_origin import on_file_origin
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
    made = await _taken_in(document_id)
    if isinstance(made, DomainError):
        return await _list(document_id, made)
    return await see_other(f"/documents/{document_id}/attachments", f"“{made.name}” is attached.")


@blueprint.post(f"{ALL}/new")
@requires(SPONSOR, EDITOR)
async def create_beside(document_id: UUID) -> Response:
    """The same for the script of the writing page, which goes on showing its page and says what became of the file."""
    made = await _taken_in(document_id)
    if isinstance(made, DomainError):
        words = [word for messages in made.errors.values() for word in messages] if isinstance(made, Invalid) else []
        return answer(NotAttached(" ".join(words) or made.detail), made.status)
    # As it stays in the text, whatever origin files are served from by the time it is read.
    told = Attached(
        made.name, made.page_url, made.image_url is not None, markdown(made.name, made.page_url, made.image_url)
    )
    return answer(told, 201, {"Cache-Control": "no-store"})


async def _taken_in(document_id: UUID) -> AttachmentView | DomainError:
    """Attach the file of the form that was sent; returns what is wrong with it if it cannot be taken."""
    async with reading() as db:
        await service.may_attach(db, current_actor(), document_id)
    form = await uploaded_form()
    try:
        if not form.name:
            raise Invalid({"file": ["Choose a file first."]})
        return await attach(document_id, form.name, form.file())
    except _TAKEN_BACK as error:
        return error


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
        files=[addressed(file) for file in files],
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
@as_file_anywhere
@public
async def content(document_id: UUID, attachment_id: UUID) -> Response:
    found = await _seen(document_id, attachment_id)
    if isinstance(found, Response):
        return found
    return elsewhere(found.page_url) or await file_answer(extension(Store), found)


@blueprint.get(f"{ONE}/image")
@as_file_anywhere
@public
async def image(document_id: UUID, attachment_id: UUID) -> Response:
    found = await _seen(document_id, attachment_id)
    if isinstance(found, Response):
        return found
    if found.image_url is None:
        raise NotFound
    if (leading := elsewhere(found.image_url)) is not None:
        return leading
    try:
        kind, pieces = await extension(Gallery).picture(found.sha256)
    except Unworkable:
        raise NotFound("This picture cannot be shown. It can still be downloaded.") from None
    return picture_answer(kind, pieces, found)


async def _seen(document_id: UUID, attachment_id: UUID) -> AttachmentView | Response:
    """The file, if the caller may have it: with the document, or because a published entry shows it."""
    actor = current_actor()
    async with reading() as db:
        try:
            return await service.attachment(db, actor, document_id, attachment_id)
        except NotFound:
            if on_file_origin() and actor.refusal:
                raise Forbidden(actor.refusal, code="address_ended") from None
            if on_file_origin() and not actor.signed_in:
                return to_the_site()  # which knows whoever is signed in there, and sends them back with a proof
            if not actor.signed_in:
                raise NotAuthenticated from None
            if not actor.active:
                raise NotActive(actor.status) from None
            raise
