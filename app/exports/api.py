"""JSON routes of files to take along, and of what may still be had today."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.attachments.answers import as_file
from app.exports import texts
from app.exports.answers import epub_answer, markdown_answer, pdf_answer
from app.exports.schemas import BudgetList, BudgetView
from app.web.answers import answer
from app.web.budgets import Budgets, expensive
from app.web.context import current_actor, extension, reading
from app.web.guards import requires
from app.web.openapi import describe

blueprint = Blueprint("exports_api", __name__)


@blueprint.get("/v1/documents/<uuid:document_id>/export.pdf")
@describe(
    "A document as PDF; `Export-Budget-Remaining` says how many more can be made today",
    tag="exports",
    answers={200: None},
    errors=(404, 422),
    file_type="application/pdf",
)
@as_file
@requires(scope="documents:read")
@expensive("paper", budget="exports", by_service=True)
async def document_pdf(document_id: UUID) -> Response:
    async with reading() as db:
        text = await texts.of_document(db, current_actor(), document_id)
    return await pdf_answer(text)


@blueprint.get("/v1/documents/<uuid:document_id>/export.epub")
@describe(
    "A document as an electronic book (EPUB 3), from the same budget",
    tag="exports",
    answers={200: None},
    errors=(404, 422),
    file_type="application/epub+zip",
)
@as_file
@requires(scope="documents:read")
@expensive("book", budget="exports", by_service=True)
async def document_epub(document_id: UUID) -> Response:
    async with reading() as db:
        text = await texts.of_document(db, current_actor(), document_id)
    return await epub_answer(text)


@blueprint.get("/v1/documents/<uuid:document_id>/export.md")
@describe(
    "A document's Markdown as a file", tag="exports", answers={200: None}, errors=(404,), file_type="text/markdown"
)
@as_file
@requires(scope="documents:read")
async def document_markdown(document_id: UUID) -> Response:
    async with reading() as db:
        text = await texts.of_document(db, current_actor(), document_id)
    return await markdown_answer(text)


@blueprint.get("/v1/entries/<uuid:entry_id>/export.pdf")
@describe(
    "A journal entry as PDF", tag="exports", answers={200: None}, errors=(404, 410, 422), file_type="application/pdf"
)
@as_file
@requires(scope="entries:read")
@expensive("paper", budget="exports", by_service=True)
async def entry_pdf(entry_id: UUID) -> Response:
    async with reading() as db:
        text = await texts.of_entry(db, entry_id)
    return await pdf_answer(text)


@blueprint.get("/v1/me/budgets")
@describe("What I may still have made today", tag="account", answers={200: BudgetList})
@requires(scope="profile:read")
async def budgets() -> Response:
    actor, known = current_actor(), extension(Budgets)
    found = [(name, await known.budget(name, actor)) for name in known.by_role if known.limit(name, actor)]
    return answer(
        BudgetList([BudgetView(name, one.limit, one.used, one.remaining, one.resets_at) for name, one in found])
    )
