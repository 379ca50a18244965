"""Tells the hub of every request that changed a document, after its transaction: no route needs to think of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from uuid import UUID

from quart import Quart, Response

from app.live.hub import Hub
from app.web.context import extension
from app.web.current import this_request

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def tell(response: Response) -> Response:
    """What an unsafe request under a document's address was answered well has changed that document."""
    asked = this_request()
    if asked.method not in _SAFE and response.status_code < HTTPStatus.BAD_REQUEST and asked.view_args:
        document_id = asked.view_args.get("document_id")
        if isinstance(document_id, UUID):
            extension(Hub).tell(document_id)
    return response


def install(app: Quart) -> None:
    """Listen to every answer."""
    app.after_request(tell)
