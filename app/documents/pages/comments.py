"""HTML routes of comments: writing one beside the text, resolving, opening again."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.access import EDITOR, SPONSOR
from app.documents import service
from app.documents.life import Part
from app.documents.pages.document import document_page
from app.documents.pages.part import in_part
from app.documents.schemas import CommentForm, NewComment
from app.errors import Invalid, NotFound
from app.web.context import current_actor, transaction
from app.web.guards import requires
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other

blueprint = Blueprint("comments", __name__)
_SETTLING = {"resolve": (True, "Resolved."), "reopen": (False, "Opened again.")}


@blueprint.post("/sponsor/documents/<uuid:document_id>/comments")
@requires(SPONSOR)
async def sponsor_comment(document_id: UUID) -> Response:
    return await _comment(document_id, "sponsor")


@blueprint.post("/editor/documents/<uuid:document_id>/comments")
@requires(EDITOR)
async def editor_comment(document_id: UUID) -> Response:
    return await _comment(document_id, "editor")


async def _comment(document_id: UUID, part: Part) -> Response:
    form = await form_body(CommentForm)
    try:
        asked = form.require()
        async with transaction() as db:
            await in_part(db, document_id, part)
            new = NewComment(asked.body, asked.quote.replace("\r\n", "\n"), parent_id=asked.parent_id)
            await service.comment(db, current_actor(), document_id, new)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await document_page(document_id, part, FormData(), 422, comment=form)
    return await see_other(f"/{part}/documents/{document_id}#comments", "Your comment is there.")


@blueprint.post("/sponsor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>")
@requires(SPONSOR)
async def sponsor_settle(document_id: UUID, comment_id: UUID, verb: str) -> Response:
    return await _settle(document_id, comment_id, verb, "sponsor")


@blueprint.post("/editor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>")
@requires(EDITOR)
async def editor_settle(document_id: UUID, comment_id: UUID, verb: str) -> Response:
    return await _settle(document_id, comment_id, verb, "editor")


async def _settle(document_id: UUID, comment_id: UUID, verb: str, part: Part) -> Response:
    if verb not in _SETTLING:
        raise NotFound
    resolved, said = _SETTLING[verb]
    async with transaction() as db:
        await in_part(db, document_id, part)
        await service.settle(db, current_actor(), document_id, comment_id, resolved=resolved)
    return await see_other(f"/{part}/documents/{document_id}#comments", said)
