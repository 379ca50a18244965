"""JSON answers and the preconditions that go with them (RFC 9110 13)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from quart import Response, request

from app.errors import PreconditionRequired, Stale

_ENCODER = msgspec.json.Encoder()


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(_ENCODER.encode(value), status, dict(headers or {}), content_type="application/json")


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
    text = header.removeprefix('"').removesuffix('"')
    if len(header) != len(text) + 2 or not text.isdecimal() or len(text) > 9:
        raise Stale("If-Match names no version of this resource.")
    return int(text)


def not_modified(version: int) -> bool:
    """Whether the caller already holds this version (`If-None-Match`, RFC 9110 13.1.2)."""
    held = request.headers.get("If-None-Match", "")
    wanted = etag(version)
    return held.strip() == "*" or any(tag.strip().removeprefix("W/") == wanted for tag in held.split(","))


def versioned(value: object, version: int, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` with its ETag; 304 when a reader already holds it."""
    tagged = {"ETag": etag(version), "Cache-Control": "private, no-cache", **(headers or {})}
    if status == 200 and request.method in ("GET", "HEAD") and not_modified(version):
        return Response(b"", status=304, headers=tagged)
    return answer(value, status, tagged)
