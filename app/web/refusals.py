"""The answers that are given without the application: a problem document, or a page that needs nothing."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field

PROBLEM_TYPE = "application/problem+json"
PAGE_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Refusal:
    """A request that goes no further: status, machine-readable code, and a sentence for people."""

    status: int
    code: str
    title: str
    detail: str
    headers: tuple[tuple[str, str], ...] = field(default=())

    @property
    def ends_connection(self) -> bool:
        """Whether what still comes on this connection cannot be trusted to be a request, or never ends."""
        return self.status in (408, 413, 431) or self.code == "bad_framing"


class Refused(Exception):
    """Raised where a request is found wanting; carries what to answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def problem_body(refusal: Refusal, request_id: str) -> bytes:
    """Write RFC 9457's members, with the code and the request id as extensions."""
    return json.dumps(
        {
            "type": "about:blank",
            "title": refusal.title,
            "status": refusal.status,
            "detail": refusal.detail,
            "code": refusal.code,
            "request_id": request_id,
        }
    ).encode()


def page_body(refusal: Refusal, request_id: str, home: str = "") -> bytes:
    """Write the barest page: it must stand when templates, styles and database do not.  `home` is the site, if elsewhere."""
    title, detail, home = html.escape(refusal.title), html.escape(refusal.detail), html.escape(home)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title></head>'
        f"<body><main><h1>{title}</h1><p>{detail}</p>"
        f'<p>Request <code>{html.escape(request_id)}</code></p><p><a href="{home}/">To the journal</a></p>'
        "</main></body></html>\n"
    ).encode()


BAD_PATH = Refusal(400, "bad_target", "Bad request", "The address holds characters that no address of this site has.")
BAD_HOST = Refusal(400, "bad_host", "Bad request", "Exactly one Host header is needed.")
WRONG_HOST = Refusal(421, "wrong_host", "Not this site", "This server does not answer for that host name.")
BAD_FRAMING = Refusal(400, "bad_framing", "Bad request", "The length of the request is not stated unambiguously.")
NO_UPGRADE = Refusal(400, "no_upgrade", "Bad request", "This server does not change protocols that way.")
TARGET_TOO_LONG = Refusal(414, "target_too_long", "Address too long", "The address is longer than this site accepts.")
HEADERS_TOO_LARGE = Refusal(
    431, "headers_too_large", "Headers too large", "The request's headers are more than this site accepts."
)
BAD_METHOD = Refusal(
    405,
    "method_not_allowed",
    "Method not allowed",
    "This method is not in use here.",
    (("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),),
)
ENCODED_BODY = Refusal(415, "encoded_body", "Unsupported encoding", "Send the body as it is, not compressed.")
TOO_LARGE = Refusal(413, "too_large", "Too large", "The body is larger than this address accepts.")
TOO_SLOW = Refusal(408, "too_slow", "Too slow", "The body did not arrive in time.")
TOO_BUSY = Refusal(
    503, "busy", "Busy right now", "Too many requests are being served. Try again shortly.", (("retry-after", "2"),)
)
NEEDS_HTTPS = Refusal(403, "https_required", "Use https", "This site is spoken to over https only.")
BAD_ORIGIN = Refusal(403, "bad_origin", "Not from there", "This connection may only be opened by this site's pages.")
BROKEN = Refusal(500, "internal_error", "Something went wrong", "It is our fault, and it has been written down.")
