"""Proof that an unsafe request sent with our cookie was meant by the person: where it came from, and a form token.

Two walls, because each has a gap.  `Sec-Fetch-Site` and `Origin` come from the browser and cannot be forged by a page
(the rule is the one of Go's CrossOriginProtection), but old browsers send neither.  The token is an HMAC over the
session, or before sign-in over a random cookie, so that signing somebody in to a foreign account is covered too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

from quart import Request, Response, after_this_request, g, request

from app.errors import Forbidden
from app.web.parsing import FORM_TOKEN, form_field
from app.web.request_head import Hosts

HEADER = "X-Form-Token"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME = frozenset({"same-origin", "none"})
_VISITOR_BYTES = 24
_VISITOR_LENGTH = 32
_LONGEST_TOKEN = 200
_LONGEST_VERSION = 9
_STALE = "This form was opened too long ago, or in another session. Open it again and send it once more."
_FOREIGN = "This was not sent from a page of this site."


class Key(Protocol):
    """One version of the key."""

    @property
    def version(self) -> int: ...
    @property
    def value(self) -> bytes: ...


class KeyRing(Protocol):
    """The keys in use: one signs, all that are found verify."""

    @property
    def signing(self) -> Key: ...
    def find(self, version: int, /) -> Key | None: ...


class CsrfSettings(Protocol):
    """What must be known of the settings."""

    @property
    def public_url(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def allowed_hosts(self) -> Iterable[str]: ...
    @property
    def files_url(self) -> str: ...


class Csrf:
    """Makes form tokens and checks unsafe requests.

    `ring` returns the current keys, so that rotation takes effect at once and forms opened under the former key are
    still good until its grace ends.  `session` returns what stands for the caller's session, or None.
    """

    def __init__(self, settings: CsrfSettings, ring: Callable[[], KeyRing], session: Callable[[], str | None]) -> None:
        self._ring = ring
        self._session = session
        self._secure = settings.public_url.startswith("https://")
        self._origins = Hosts(
            settings.public_url, settings.port, settings.allowed_hosts, files_url=settings.files_url
        ).origins
        self.cookie_name = ("__Host-" if self._secure else "") + "scriptorium_form"

    def form_token(self) -> str:
        """Return a token for a form on the page being made; a visitor without the cookie gets it with the answer."""
        session = self._session()
        return self._sign(f"session:{session}" if session else f"visitor:{self._visitor()}")

    async def check(self, checked: Request, *, visitor_form: bool = False) -> None:
        """Let safe methods and proven requests pass; raises Forbidden (403) for all others.

        `visitor_form` marks the forms of visitors (sign-in, registration): a token from before a sign-in in
        another tab is then good enough, since there is no session that it could act in.
        """
        if checked.method in _SAFE_METHODS:
            return
        self._check_origin(checked)
        token = checked.headers.get(HEADER) or await form_field(FORM_TOKEN)
        session = self._session()
        cookie = checked.cookies.get(self.cookie_name, "")
        bindings = [f"session:{session}"] if session else []
        if (not session or visitor_form) and len(cookie) == _VISITOR_LENGTH:
            bindings.append(f"visitor:{cookie}")
        if not any(self._verify(token, binding) for binding in bindings):
            raise Forbidden(_STALE, code="form_token")

    def _check_origin(self, checked: Request) -> None:
        site = checked.headers.get("Sec-Fetch-Site")
        if site is not None and site not in _SAME:
            raise Forbidden(_FOREIGN, code="cross_site")
        origin = checked.headers.get("Origin")
        if origin is None:
            return
        own = origin.lower().encode("latin-1", "replace") in self._origins
        if not own or urlsplit(origin).netloc.lower() != checked.host.lower():
            raise Forbidden(_FOREIGN, code="cross_site")

    def _visitor(self) -> str:
        """Return the random value that ties a visitor's forms to this browser, making one when there is none."""
        known: str = g.get("scriptorium_visitor") or request.cookies.get(self.cookie_name, "")
        if len(known) == _VISITOR_LENGTH:
            return known
        made = secrets.token_urlsafe(_VISITOR_BYTES)
        g.scriptorium_visitor = made

        @after_this_request
        async def remember(response: Any) -> Any:
            if isinstance(response, Response):
                response.set_cookie(
                    self.cookie_name, made, httponly=True, samesite="Lax", secure=self._secure, path="/"
                )
            return response

        return made

    def _sign(self, binding: str) -> str:
        key = self._ring().signing
        nonce = secrets.token_urlsafe(12)
        return f"{key.version}.{nonce}.{_mac(key, nonce, binding)}"

    def _verify(self, token: str, binding: str) -> bool:
        version, _, rest = token.partition(".")
        nonce, _, mac = rest.partition(".")
        if len(token) > _LONGEST_TOKEN or len(version) > _LONGEST_VERSION:
            return False
        if not version.isascii() or not version.isdigit():
            return False
        key = self._ring().find(int(version))
        return key is not None and hmac.compare_digest(mac.encode(), _mac(key, nonce, binding).encode())


def _mac(key: Key, nonce: str, binding: str) -> str:
    digest = hmac.new(key.value, f"form\0{nonce}\0{binding}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
