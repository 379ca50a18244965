"""JSON answers and the preconditions that go with them (RFC 9110 13)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import msgspec
from quart import Response, request
from quart.wrappers.response import DataBody

from app.errors import PreconditionRequired, Stale
from app.web.current import this_request
from app.web.ready import Pair, ready

LONGEST_VERSION = 9  # digits
_ENCODER = msgspec.json.Encoder()


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    body = _ENCODER.encode(value)
    return whole(body, status, [*(headers or {}).items(), ("Content-Type", "application/json")])


def whole(body: bytes, status: int, headers: list[Pair]) -> Response:
    """An answer of these bytes; its headers must be ours (`app.web.ready`)."""
    headers.append(("Content-Length", str(len(body))))
    return Response(DataBody(body), status, ready(headers))


async def streamed(parts: AsyncIterator[bytes], media_type: str, name: str) -> Response:
    """A file of any length, sent part by part, to be saved as `name`; what fails before the first part is refused."""
    first = await anext(parts, b"")

    async def everything() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    response = Response(everything(), headers=headers, content_type=media_type)
    response.timeout = None  # it takes as long as its reader does; the guard of idle connections still holds
    return response


def no_content() -> Response:
    """204: done, and there is nothing to say."""
    return Response(b"", status=204)


def etag(version: int) -> str:
    """The strong validator of a resource at this version."""
    return f'"{version}"'


def required_version() -> int | None:
    """The version in `If-Match`; None for `*`.  Raises PreconditionRequired without the header and Stale for a value
    that can never match, such as a weak or foreign one (RFC 9110 13.1.1)."""
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired("Send If-Match with the ETag you read.")
    if header == "*":
        return None
    # The validator of the compressed form names the same version (`app.web.representation`).
    text = header.removeprefix('"').removesuffix('"')
    bare = text.removesuffix("-gzip")
    if len(header) != len(text) + 2 or not bare.isdecimal() or len(bare) > LONGEST_VERSION:
        raise Stale("If-Match names no version of this resource.")
    return int(bare)


def held_version(version: int) -> str | None:
    """The validator under which the caller already holds this version (`If-None-Match`, RFC 9110 13.1.2), or None."""
    held = this_request().headers.get("If-None-Match", "")
    if not held:
        return None
    wanted = etag(version)
    for tag in (part.strip().removeprefix("W/") for part in held.split(",")):
        if tag.replace('-gzip"', '"') == wanted:
            return tag
    return wanted if held.strip() == "*" else None


def versioned(value: object, version: int, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` with its ETag; 304 when a reader already holds it."""
    tagged = {"ETag": etag(version), "Cache-Control": "private, no-cache", **(headers or {})}
    if status == HTTPStatus.OK and this_request().method in ("GET", "HEAD"):
        held = held_version(version)
        if held is not None:
            return Response(b"", status=304, headers={**tagged, "ETag": held})
    return answer(value, status, tagged)
