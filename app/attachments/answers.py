"""Answers that carry somebody's file: to be saved and never run, whatever it holds (ASVS 5.4.1, 3.2.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from quart import Response, request

from app.attachments.names import disposition
from app.attachments.schemas import AttachmentView
from app.attachments.store import Store, blob_name
from app.errors import NotFound
from app.web.headers import may_answer

SANDBOX: Final = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Should a browser show it after all, it has no scripts, no origin and nothing to load."""
as_file = may_answer(content_security_policy=SANDBOX)
"""The stamp of views that answer with a file."""


async def file_answer(store: Store, view: AttachmentView) -> Response:
    """The bytes as they came."""
    if (unchanged := _held(view.sha256)) is not None:
        return unchanged
    pieces = await store.read(blob_name(bytes.fromhex(view.sha256)))
    if pieces is None:
        raise NotFound
    # A text is sent as bytes: without a type of its own no browser guesses one (nosniff), nor shows it.
    kind = "application/octet-stream" if view.media_type.startswith("text/") else view.media_type
    return _streamed(pieces, kind, disposition(view.name), view.sha256, view.size)


def picture_answer(kind: str, pieces: AsyncIterator[bytes], view: AttachmentView) -> Response:
    """The picture made anew, to be shown on our own pages."""
    stem = view.name.rpartition(".")[0] or view.name
    name = f"{stem}.{kind.partition('/')[2]}"
    return _streamed(pieces, kind, disposition(name, inline=True), f"{view.sha256}-shown", None)


def _headers(tag: str) -> dict[str, str]:
    return {
        "ETag": f'"{tag}"',
        # The bytes behind an address never change; whether one may have them is asked anew each time.
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": SANDBOX,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _held(tag: str) -> Response | None:
    given = (part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(","))
    if f'"{tag}"' in given:
        return Response(b"", status=304, headers=_headers(tag))
    return None


def _streamed(pieces: AsyncIterator[bytes], kind: str, name: str, tag: str, size: int | None) -> Response:
    headers = {**_headers(tag), "Content-Disposition": name}
    if size is not None:
        headers["Content-Length"] = str(size)
    response = Response(b"" if request.method == "HEAD" else pieces, headers=headers, content_type=kind)
    if size is not None:
        response.headers["Content-Length"] = str(size)
    response.timeout = None  # it takes as long as its reader does
    return response
