"""Pages that are the same for every visitor: caches may keep them, and a browser that holds one is told so (RFC 9111)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

from quart import Response, request, session

from app.web.context import current_actor
from app.web.headers import may_answer
from app.web.render import render
from app.web.request_id import request_id

KEPT: Final = "public, no-cache"
may_be_kept = may_answer(cache_control=KEPT)
"""The stamp of views that answer with what is kept here."""


async def public_page(template: str, /, **context: Any) -> Response:
    """The page; for visitors with an ETag over what it says.

    Whoever is signed in gets a page of their own, never kept; so does a visitor who is told something once ("You are
    signed out."), with whose answer the cookie that held the words goes.
    """
    html = await render(template, **context)
    if current_actor().signed_in or session.modified:
        return Response(html, mimetype="text/html")
    # The request id is different each time and no part of what is said.
    said = html.replace(request_id(), "").encode()
    return kept_by_visitors(Response(html, mimetype="text/html"), said)


def kept_by_visitors(response: Response, said: bytes) -> Response:
    """Let everybody keep the answer and ask again whether it still is so; 304 for those who hold it."""
    tag = f'W/"{blake2b(said, digest_size=12).hexdigest()}"'
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = KEPT
    response.vary.add("Cookie")
    if tag in (held.strip() for held in request.headers.get("If-None-Match", "").split(",")):
        response.status_code = 304
        response.set_data(b"")
    return response
