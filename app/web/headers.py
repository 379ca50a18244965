"""The security headers of every answer, pre-encoded, and the exceptions routes declare beside themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast

from quart import Response, current_app

from app.web.asgi import RawHeaders

P = ParamSpec("P")
V = TypeVar("V", bound=Callable[..., Any])

STAMP = "__scriptorium_response_headers__"
REPORTS = "/api/csp-reports"

CSP: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "frame-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "report-uri": REPORTS,
}

_PERMISSIONS = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "usb",
)  # fmt: skip

# "same-origin" and not "no-referrer": with the latter browsers send `Origin: null` on our own forms.
_STATIC: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "referrer-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _PERMISSIONS),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-permitted-cross-domain-policies": "none",
    "cache-control": "no-store",
}

SANDBOX: Final = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The policy of somebody's file: should a browser show it, it has no scripts, no origin and nothing to load."""

_HSTS = "max-age=63072000; includeSubDomains"

# Any answer may be held by its one reader who asks each time whether it still is so (RFC 9111 5.2.2): what has an ETag.
HELD_BY_ONE: Final = "private, no-cache"


def content_security_policy(changes: Mapping[str, str] | None = None) -> str:
    """Write the policy with some directives replaced; an empty value leaves the directive out."""
    directives = {**CSP, **(changes or {})}
    return "; ".join(f"{name} {value}" for name, value in directives.items() if value)


def security_headers(*, https: bool, files_url: str = "") -> dict[str, str]:
    """Return the headers that every answer carries, names in lower case; HSTS (RFC 6797) only over https.

    Pages may show pictures from where files are served, if that is elsewhere, and load nothing else from there.
    """
    pictures = {"img-src": f"'self' {files_url}"} if files_url else {}
    headers = {"content-security-policy": content_security_policy(pictures), **_STATIC}
    if https:
        headers["strict-transport-security"] = _HSTS
        # The newer way of reporting.  Browsers that know it leave `report-uri` alone once they see it, and deliver over
        # TLS only: on a plain loopback site it would silence them (seen in Chromium 156).
        headers["content-security-policy"] += "; report-to csp"
        headers["reporting-endpoints"] = f'csp="{REPORTS}"'
    return headers


def file_headers(*, https: bool) -> dict[str, str]:
    """Return the headers of every answer of the origin that serves files and nothing else, refusals included."""
    headers = {**_STATIC, "content-security-policy": SANDBOX, "referrer-policy": "no-referrer"}
    return {**headers, "strict-transport-security": _HSTS} if https else headers


class HeaderSet:
    """A header set as bytes, ready to be added to an answer in about a microsecond; `never` is taken out of all answers."""

    def __init__(self, headers: Mapping[str, str], *, never: frozenset[bytes] = frozenset()) -> None:
        self._encoded: RawHeaders = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._names = frozenset(name for name, _ in self._encoded)
        self._dropped = never | {b"server", b"x-request-id"}
        self._ours = self._names | self._dropped
        self._without: dict[frozenset[bytes], RawHeaders] = {}

    @property
    def pairs(self) -> RawHeaders:
        """What is added to an answer that has none of these itself."""
        return self._encoded

    def complete(self, given: RawHeaders, request_id: bytes) -> RawHeaders:
        """Return `given` with what is missing added; no `Server`, and the request id always ours."""
        own = self._ours.intersection([name for name, _ in given])
        if not own:
            return [*given, *self._encoded, (b"x-request-id", request_id)]
        if not own.isdisjoint(self._dropped):
            given = [pair for pair in given if pair[0] not in self._dropped]
        added = self._without.get(own)
        if added is None:  # there are few such sets: each route answers in its own way
            added = self._without[own] = [pair for pair in self._encoded if pair[0] not in own]
        return [*given, *added, (b"x-request-id", request_id)]


@dataclass(frozen=True)
class Overrides:
    """What one route answers differently, by name of the header.

    `headers` are complete values its answers always have; `sometimes` are values it may put in by itself, with `*` for
    the part that depends on the request.
    """

    headers: Mapping[str, str]
    sometimes: Mapping[str, str] = field(default_factory=dict)

    def covers(self, name: str, value: str) -> bool:
        """Whether an answer with this header was declared."""
        return self.headers.get(name) == value or fnmatchcase(value, self.sometimes.get(name, ""))


def response_headers(
    *, csp: Mapping[str, str] | None = None, **headers: str
) -> Callable[[Callable[P, Awaitable[Any]]], Callable[P, Awaitable[Response]]]:
    """Declare beside a view which security headers its own answers change.

    `csp` replaces single directives of the policy; other headers are named with underscores
    (`cross_origin_resource_policy="cross-origin"`).  Errors raised by the view keep the strict set: an error
    page is the site's page, not the route's.
    """
    values = _named(headers)
    if csp:
        values["content-security-policy"] = content_security_policy(csp)

    def decorate(view: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[Response]]:
        @wraps(view)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
            response = cast(Response, await current_app.make_response(await view(*args, **kwargs)))
            for name, value in values.items():
                response.headers[name] = value
            return response

        _declare(answer, values, {})
        return answer

    return decorate


def may_answer(**headers: str) -> Callable[[V], V]:
    """Declare beside a view what it puts into its answers by itself, where the value or whether depends on the request."""

    def decorate(view: V) -> V:
        _declare(view, {}, _named(headers))
        return view

    return decorate


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").lower(): value for name, value in headers.items()}


def _declare(view: Callable[..., Any], always: Mapping[str, str], sometimes: Mapping[str, str]) -> None:
    known = declared_overrides(view) or Overrides({})
    setattr(view, STAMP, Overrides({**known.headers, **always}, {**known.sometimes, **sometimes}))


def declared_overrides(view: Callable[..., Any]) -> Overrides | None:
    """Return what a view declared with `response_headers`, or None."""
    found = getattr(view, STAMP, None)
    return found if isinstance(found, Overrides) else None
