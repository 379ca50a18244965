"""The two cookies of a browser: quart-auth's, which carries an opaque session id, and a small signed one for flashes.

quart-auth's own cookie cannot be revoked and lasts a year, so here it only transports the random id of a
server-side session.  Both cookies are HttpOnly and SameSite=Lax always, `Secure` with the `__Host-` prefix exactly when
the public URL is https (RFC 6265bis 4.1.3.2).  Their keys come from the `session` ring and turn while we serve.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, cast

from quart import Quart, Response, current_app, has_request_context, request, websocket
from quart.sessions import NullSession, SecureCookieSessionInterface, SessionMixin
from quart.wrappers import BaseRequestWebsocket
from quart_auth import Action, AuthUser, QuartAuth

from app.settings import Settings
from app.vault.snapshot import Snapshot
from app.web.current import this_stash
from app.web.faces import for_programs


class _Silent(NullSession):
    """The session of a program: there is none, and nothing may be put into it."""


class FlashSessions(SecureCookieSessionInterface):
    """Quart's signed cookie session, with SHA-256 in place of SHA-1, and none at all for programs."""

    salt = "scriptorium-flash"
    digest_method = staticmethod(sha256)

    async def open_session(  # type: ignore[override]  # the supertype promises less: any SessionMixin
        self, app: Quart, request: BaseRequestWebsocket
    ) -> SessionMixin | None:
        if for_programs(request.path) or request.path.startswith("/static/"):
            return _Silent()
        return await super().open_session(app, request)

    def is_null_session(self, instance: object) -> bool:
        return isinstance(instance, NullSession)


class SessionCookie(QuartAuth):
    """quart-auth, writing its cookie only when somebody signed in or out and reading it only when asked."""

    async def after_request(self, response: Response) -> Response:
        return await super().after_request(response) if hasattr(this_stash(), self.attribute_name) else response

    def token(self) -> str | None:
        """The session token in this request's cookie if its signature is good; checked once per request."""
        if self.cookie_name not in (request if has_request_context() else websocket).cookies:
            return None
        value: object = self.load_cookie()
        return value if isinstance(value, str) else None

    def write(self, token: str) -> None:
        """Send the cookie with the answer; it lasts as long as the session may."""
        self.login_user(AuthUser(token, Action.WRITE_PERMANENT))

    def clear(self) -> None:
        """Take the cookie back with the answer."""
        self.logout_user()


EXTENSION = "scriptorium-cookie"


def session_cookie() -> SessionCookie:
    """The session cookie of the application that answers this request."""
    return cast(SessionCookie, current_app.extensions[EXTENSION])


def install(app: Quart, settings: Settings) -> None:
    """Set both cookies up."""
    prefix = "__Host-" if settings.secure else ""
    app.config.update(
        SESSION_COOKIE_NAME=f"{prefix}scriptorium-flash",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = FlashSessions()
    app.extensions[EXTENSION] = SessionCookie(
        app,
        cookie_name=f"{prefix}scriptorium",
        cookie_secure=settings.secure,
        cookie_samesite="Lax",
        cookie_http_only=True,
        duration=int(settings.session_absolute),
        salt="scriptorium-session",
    )


def turn_keys(app: Quart, snapshot: Snapshot) -> None:
    """Take the cookie keys from a snapshot: one signs, all usable ones verify.

    Both values change between two awaits, so no request sees one without the other.
    """
    ring = snapshot.rings["session"]
    signing = ring.signing
    config: dict[str, Any] = app.config
    config["SECRET_KEY"] = signing.value
    config["SECRET_KEY_FALLBACKS"] = [key.value for key in ring.verifying if key.version != signing.version]
