"""HTML routes of files to take along: what there is and what is left of today's budget, and the files."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.attachments.answers import as_file
from app.documents import service as documents
from app.documents.service import parts_of
from app.exports import texts
from app.exports.answers import epub_answer, markdown_answer, pdf_answer
from app.exports.texts import Manuscript
from app.web.budgets import Budgets, expensive
from app.web.context import current_actor, extension, reading
from app.web.guards import requires
from app.web.render import page
from app.workshop.sheets import MOST_PICTURES

blueprint = Blueprint("exports", __name__)


async def _text(document_id: UUID) -> Manuscript:
    async with reading() as db:
        return await texts.of_document(db, current_actor(), document_id)


@blueprint.get("/documents/<uuid:document_id>/export")
@requires()
async def choose(document_id: UUID) -> Response:
    async with reading() as db:
        document = await documents.document(db, current_actor(), document_id)
    parts = parts_of(current_actor(), document)
    return await page(
        "exports/choose.html",
        document=document,
        document_url=f"/{parts[0]}/documents/{document_id}" if parts else None,
        most_pictures=MOST_PICTURES,
        budget=await extension(Budgets).budget("exports", current_actor()),
    )


@blueprint.get("/documents/<uuid:document_id>/export.pdf")
@as_file
@requires()
@expensive("paper", budget="exports", by_service=True)
async def document_pdf(document_id: UUID) -> Response:
    return await pdf_answer(await _text(document_id))


@blueprint.get("/documents/<uuid:document_id>/export.epub")
@as_file
@requires()
@expensive("book", budget="exports", by_service=True)
async def document_epub(document_id: UUID) -> Response:
    return await epub_answer(await _text(document_id))


@blueprint.get("/documents/<uuid:document_id>/export.md")
@as_file
@requires()
async def document_markdown(document_id: UUID) -> Response:
    return await markdown_answer(await _text(document_id))


@blueprint.get("/entry/<uuid:entry_id>.pdf")
@as_file
@requires()
@expensive("paper", budget="exports", by_service=True)
async def entry_pdf(entry_id: UUID) -> Response:
    async with reading() as db:
        text = await texts.of_entry(db, entry_id)
    return await pdf_answer(text)
