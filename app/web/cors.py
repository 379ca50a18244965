"""Which other origins' scripts may read answers: quart-cors, closed by default, opened by group and exact origin.

Three groups, each with its own setting: the JSON API, the OAuth endpoints that a browser app calls itself (token,
revocation, userinfo), and discovery (metadata, public keys, the OpenAPI document).  No answer depends on a cookie, so
credentials are never allowed; only because of that may the latter two groups be opened to `*`, as public clients of
RFC 6749 and OpenID Connect expect.  The consent page and introspection (a server's business) are in no group.

`Cross-Origin-Resource-Policy` stays `same-origin` everywhere: browsers check it for embedding (`no-cors`) only, never
for the fetches that CORS governs, so an allowed origin can read while nobody can embed.

quart-cors as shipped allows every origin and takes patterns that match prefixes; here origins are exact
strings that `Settings` has checked at start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast

from quart import Quart, Response
from quart_cors import cors

from app.settings import Settings
from app.web.current import this_request
from app.web.ready import vary

PREFLIGHT_KEPT: Final = 600  # seconds
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ASKED: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "X-Request-Id",
)
SHOWN: Final = (
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_OAUTH: Final = frozenset({"/oauth/token", "/oauth/revoke", "/oauth/userinfo"})
_DISCOVERY: Final = frozenset(
    {
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/api/openapi.json",
    }
)
_SAMPLES: Final = frozenset({"/protected", "/protected_data"})
Apply = Callable[[Response], Awaitable[Response]]


def group_of(path: str) -> str | None:
    """The group a path belongs to; None for what no other origin may ever read."""
    path = path.rstrip("/")
    if path in _DISCOVERY:
        return "discovery"
    if path in _OAUTH:
        return "oauth"
    return "api" if path.startswith("/api/") or path in _SAMPLES else None


class _Hook:
    """Stands where quart-cors expects an application and keeps the hook it would have registered there."""

    apply: Apply

    def after_request(self, hook: Apply) -> None:
        self.apply = hook

    def before_websocket(self, hook: object) -> None:
        """Sockets are the guard's business: it knows whose pages may open them."""


def install(app: Quart, settings: Settings) -> None:
    """Open the groups whose settings name origins; without any, nothing is added to the application."""
    wanted = {
        "api": settings.cors_origins,
        "oauth": settings.cors_oauth_origins,
        "discovery": settings.cors_discovery_origins,
    }
    groups = {name: (_hook(origins), origins != ("*",)) for name, origins in wanted.items() if origins}
    if not groups:
        return

    async def add_headers(response: Response) -> Response:
        asked = this_request()
        found = groups.get(group_of(asked.path) or "")
        if found is None:
            return response
        apply, varies = found
        if asked.headers.get("Origin") is not None:
            return await apply(response)
        if varies:
            vary(response, "Origin")
        return response

    app.after_request(add_headers)


def _hook(origins: Sequence[str]) -> Apply:
    hook = _Hook()
    cors(
        cast(Any, hook),
        allow_origin=list(origins),
        allow_methods=METHODS,
        allow_headers=ASKED,
        expose_headers=SHOWN,
        allow_credentials=False,
        max_age=PREFLIGHT_KEPT,
    )
    return hook.apply
