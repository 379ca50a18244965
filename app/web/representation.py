"""The last touches to a JSON answer: shorter when the caller prefers so, unchanged lists not sent again, compressed.

Answers that hold a secret (tokens, keys) are declared `secret` beside the route and never compressed (BREACH).  Others
may be: a caller proves who they are in a header, so no foreign page can make a browser ask for them.
"""

from __future__ import annotations

import asyncio
import gzip
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from quart import Quart, Response, request
from quart.wrappers.response import DataBody

from app.web.current import this_app, this_request
from app.web.faces import for_programs
from app.web.openapi import Operation, operation_of
from app.web.ready import vary

LEAST: Final = 1024  # bytes from which compressing pays
DONE: Final = (HTTPStatus.OK, HTTPStatus.CREATED)
_IN_THREAD: Final = 64 * 1024
_LEVEL: Final = 5
_JSON: Final = "application/json"
_GZIPPED: Final = "-gzip"


async def finish(response: Response) -> Response:
    """Finish an answer of a described route; everything else passes untouched."""
    asked = this_request()
    if response.status_code not in DONE or not for_programs(asked.path) or response.mimetype != _JSON:
        return response
    whole = response.response
    if not isinstance(whole, DataBody):  # a stream is as long as it is
        return response
    operation = operation_of(this_app().view_functions[asked.endpoint]) if asked.endpoint else None
    if operation is None:
        return response
    if _minimal(operation):
        return _shortened(response)
    body = whole.data[whole.begin : whole.end]
    if operation.query is not None and asked.method in ("GET", "HEAD") and response.status_code == HTTPStatus.OK:
        tag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        response.headers["ETag"] = tag
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if tag in (held.strip() for held in asked.headers.get("If-None-Match", "").split(",")):
            return _unchanged(response)
    return response if operation.secret else await _compressed(response, body)


def _minimal(operation: Operation) -> bool:
    if "Prefer" not in operation.headers or request.method not in ("POST", "PUT", "PATCH"):
        return False
    preferences = ",".join(request.headers.getlist("Prefer")).lower().split(",")
    return any(part.partition(";")[0].replace(" ", "") == "return=minimal" for part in preferences)


def _shortened(response: Response) -> Response:
    """What was made or changed is named by `Location` and `ETag` alone (RFC 7240 4.2)."""
    response.headers["Preference-Applied"] = "return=minimal"
    response.set_data(b"")
    response.headers.pop("Content-Type", None)
    if response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.NO_CONTENT
        response.headers.pop("Content-Length", None)
    return response


def _unchanged(response: Response) -> Response:
    response.status_code = HTTPStatus.NOT_MODIFIED
    response.set_data(b"")
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return response


async def _compressed(response: Response, body: bytes) -> Response:
    if len(body) < LEAST:
        return response
    vary(response, "Accept-Encoding")
    asked = this_request()
    if "Accept-Encoding" not in asked.headers or asked.accept_encodings["gzip"] <= 0:
        return response
    if "Content-Encoding" in response.headers:
        return response
    small = len(body) < _IN_THREAD
    packed = _pack(body) if small else await asyncio.to_thread(_pack, body)
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):  # a strong validator is of these very bytes (RFC 9110 8.8.3.3)
        response.headers["ETag"] = f'{tag[:-1]}{_GZIPPED}"'
    return response


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


def install(app: Quart) -> None:
    """Finish every answer."""
    app.after_request(finish)
