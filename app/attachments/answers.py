"""Answers that carry somebody's file: to be saved and never run, whatever it holds (ASVS 5.4.1, 3.2.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from msgspec.structs import replace
from quart import Response, request

from app.attachments.names import disposition
from app.attachments.schemas import AttachmentView
from app.attachments.store import Store, blob_name
from app.errors import NotFound
from app.web.context import current_actor, settings
from app.web.file_addresses import plain_address, proven_address
from app.web.file_origin import on_file_origin
from app.web.headers import SANDBOX, may_answer

SHARED: Final = "public, max-age=60"
"""What a journal entry shows to everybody may be kept by whoever fetched it, and is gone a minute after the entry."""
as_file = may_answer(content_security_policy=SANDBOX)
"""The stamp of views that answer with a file."""
as_file_anywhere = may_answer(
    content_security_policy=SANDBOX,
    cache_control=SHARED,
    cross_origin_resource_policy="cross-origin",
    referrer_policy="no-referrer",
)
"""The stamp of those that answer on the origin of files too, if there is one."""


def addressed(view: AttachmentView) -> AttachmentView:
    """The file with the addresses a page links to.

    Programs get the site's own, which may be put into a text: an absolute one there would be anybody's, a mere link.
    """
    return replace(
        view,
        page_url=plain_address(view.page_url),
        image_url=plain_address(view.image_url) if view.image_url else None,
    )


def elsewhere(path: str) -> Response | None:
    """The way to a file the caller may have, where the site serves none itself."""
    address = proven_address(path)
    return None if address == path or on_file_origin() else _leading(address)


def to_the_site() -> Response:
    """The way to where the caller is known, for whoever came to the origin of files without a proof."""
    return _leading(settings().public_url + request.path)


def _leading(address: str) -> Response:
    # Kept by nobody: who asks again has a session that may have ended meanwhile.
    return Response(b"", 303, {"Location": address, "Cache-Control": "no-store"})


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
    # The bytes behind an address never change; whether one may have them is asked anew each time.
    shared = on_file_origin() and not current_actor().signed_in
    return {
        "ETag": f'"{tag}"',
        "Cache-Control": SHARED if shared else "private, no-cache",
        "Content-Security-Policy": SANDBOX,
        # Our pages show pictures from there; whoever else does has an address that was given to them.
        "Cross-Origin-Resource-Policy": "cross-origin" if on_file_origin() else "same-origin",
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
