"""Answers that carry a made file, and what is left of the budget beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quart import Response

from app.attachments.names import clean, disposition
from app.exports.service import ENDINGS, Made, Printer
from app.exports.texts import Manuscript
from app.web.budgets import Budgets
from app.web.context import current_actor, extension
from app.web.headers import SANDBOX


async def pdf_answer(text: Manuscript) -> Response:
    """The text as PDF; raises Throttled, Busy or Unworkable."""
    return await _made(text, "paper", "application/pdf")


async def epub_answer(text: Manuscript) -> Response:
    """The text as an electronic book; raises as `pdf_answer` does."""
    return await _made(text, "book", "application/epub+zip")


async def _made(text: Manuscript, kind: Made, media_type: str) -> Response:
    actor = current_actor()
    digest, pieces = await extension(Printer).made(actor, text, kind)
    headers = (await extension(Budgets).budget("exports", actor)).headers("Export")
    return _file(pieces, media_type, text.file_name(ENDINGS[kind]), {**headers, "ETag": f'"{digest}"'})


async def markdown_answer(text: Manuscript) -> Response:
    """The text as it was written (RFC 7763)."""
    return _file(text.body.encode("utf-8", "replace"), "text/markdown; charset=utf-8", text.file_name("md"), {})


def _file(content: AsyncIterator[bytes] | bytes, kind: str, name: str, headers: dict[str, str]) -> Response:
    return Response(
        content,
        headers={
            **headers,
            "Content-Disposition": disposition(clean(name)),
            "Cache-Control": "private, no-cache",
            "Content-Security-Policy": SANDBOX,
        },
        content_type=kind,
    )
