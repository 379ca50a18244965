"""Errors as programs read them: RFC 9457 problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from quart import Response
from werkzeug.exceptions import HTTPException

from app.errors import DomainError, InsufficientScope, Invalid, NotAuthenticated, Stale, Throttled, Unavailable
from app.web.refusals import PROBLEM_TYPE

# Where Werkzeug's own sentence speaks of browsers, servers and their owners.
_DETAILS = {
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    408: "The body did not arrive in time.",
    413: "The body is larger than this address accepts.",
    415: "This address does not take this kind of content.",
    429: "Too many requests in too short a time.",
    500: "It is our fault, and it has been written down.",
    503: "Not available right now. Try again shortly.",
}
_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


def from_http(error: HTTPException) -> DomainError:
    """Say an HTTPException in this application's terms; nothing of its own description is repeated."""
    status = error.code or 500
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    said = DomainError(_DETAILS.get(status, title), code=_CODES.get(status, title.lower().replace(" ", "_")))
    said.status = status
    said.title = title
    return said


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers an error brings along: Retry-After, WWW-Authenticate, Allow, and the limit's own."""
    headers: dict[str, str] = {}
    if isinstance(error, Throttled | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = error.challenge
    elif isinstance(error, InsufficientScope):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    elif isinstance(error, HTTPException):
        wanted = {"allow": "Allow", "retry-after": "Retry-After", "www-authenticate": "WWW-Authenticate"}
        for name, value in error.get_headers():
            if name.lower() in wanted:
                headers[wanted[name.lower()]] = value
    return headers


def problem_document(error: DomainError, request_id: str) -> dict[str, Any]:
    """Return the members of the problem document for `error`."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, Invalid):
        document["errors"] = error.errors
    if isinstance(error, Stale) and error.current is not None:
        document["current_version"] = error.current
        if error.link:
            document["current"] = error.link
    return document


def problem(error: DomainError | HTTPException, request_id: str) -> Response:
    """Answer `error` as `application/problem+json`, with the headers its status asks for."""
    said = from_http(error) if isinstance(error, HTTPException) else error
    return Response(
        orjson.dumps(problem_document(said, request_id)),
        status=said.status,
        headers=headers_of(error),
        content_type=PROBLEM_TYPE,
    )
