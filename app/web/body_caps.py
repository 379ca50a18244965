"""How many bytes a request body may have, by the kind of route and the kind of content."""

from __future__ import annotations

import re

from app.web.faces import for_programs
from app.web.headers import REPORTS

KIB = 1024
MIB = 1024 * KIB

FORM = 64 * KIB
JSON = 256 * KIB
DOCUMENT_FORM = 5 * MIB
DOCUMENT_JSON = 3 * MIB
REPORT = 16 * KIB  # reports of browsers, which come unasked from anybody
UPLOAD = 25 * MIB  # one attached file
MULTIPART_ROOM = 16 * KIB  # what a form takes around the file
UPLOAD_SECONDS = 300.0  # a full-size file over a poor line

# Routes that take the text of a document: these paths themselves and everything below them.
_DOCUMENT_ROOTS = (
    "/entry",
    "/drafts",
    "/sponsor/newdocument",
    "/sponsor/documents",
    "/editor/documents",
    "/api/v1/entries",
    "/api/v1/documents",
)
_DOCUMENT_PREFIXES = tuple(root + "/" for root in _DOCUMENT_ROOTS)
_UPLOADS = re.compile(r"(?:/api/v1)?/documents/[^/]+/attachments(?:/new)?/?")


def takes_document_text(path: str) -> bool:
    """Tell whether the route at `path` accepts a document's `body`."""
    return path in _DOCUMENT_ROOTS or path.startswith(_DOCUMENT_PREFIXES)


def takes_upload(path: str) -> bool:
    """Tell whether the route at `path` accepts a file."""
    return _UPLOADS.fullmatch(path) is not None


def is_multipart(content_type: str) -> bool:
    """Tell whether a `Content-Type` value names a form that may hold a file (RFC 7578)."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def is_json(content_type: str) -> bool:
    """Tell whether a `Content-Type` value names JSON: `application/json` or a `+json` type (RFC 6839 3.1)."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def is_form(content_type: str) -> bool:
    """Tell whether a `Content-Type` value is one that an HTML form sends with fields."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


def body_cap(path: str, content_type: str) -> int:
    """Return the most bytes a body of this type may have at this path; unknown types get what their face expects."""
    if takes_upload(path) and (is_multipart(content_type) or not is_form(content_type)):
        return UPLOAD + (MULTIPART_ROOM if is_multipart(content_type) else 0)
    if path.rstrip("/") == REPORTS:
        return REPORT
    as_json = is_json(content_type) or (for_programs(path) and not is_form(content_type))
    if takes_document_text(path):
        return DOCUMENT_JSON if as_json else DOCUMENT_FORM
    return JSON if as_json else FORM
