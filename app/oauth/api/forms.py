"""What OAuth endpoints take and give, and how they say no."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from quart import Response

from app.errors import DomainError, Forbidden, NotAuthenticated, Throttled, Unavailable
from app.oauth.errors import OAuthError
from app.web.answers import answer

FORM = "application/x-www-form-urlencoded"
Value = Annotated[str, msgspec.Meta(max_length=4096)]


class TokenForm(msgspec.Struct, frozen=True):
    """A token request (RFC 6749 4.1.3, 4.4.2, 6)."""

    grant_type: Value = ""
    code: Value = ""
    redirect_uri: Value = ""
    code_verifier: Value = ""
    refresh_token: Value = ""
    scope: Value = ""
    client_id: Value = ""
    client_secret: Value = ""


class TokenOnly(msgspec.Struct, frozen=True):
    """A token to revoke or to ask about (RFC 7009 2.1, RFC 7662 2.1)."""

    token: Value = ""
    token_type_hint: Value = ""
    client_id: Value = ""
    client_secret: Value = ""


class TokenAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens (RFC 6749 5.1, OpenID Connect Core 3.1.3.3)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None


class Introspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be known of a token (RFC 7662 2.2); of one that is not good, only that it is not active."""

    active: bool
    client_id: str | None = None
    scope: str | None = None
    sub: str | None = None
    exp: int | None = None
    iat: int | None = None
    iss: str | None = None
    aud: str | None = None
    jti: str | None = None
    token_type: str | None = None


class UserInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Claims about the person who agreed (OpenID Connect Core 5.3.2)."""

    sub: str
    email: str | None = None
    name: str | None = None


def oauth_problem(error: DomainError) -> Response:
    """An error of an OAuth endpoint as RFC 6749 5.2 and, for userinfo, RFC 6750 3 have it."""
    headers: dict[str, str] = {}
    if isinstance(error, OAuthError):
        code = error.code
        if error.basic:
            headers["WWW-Authenticate"] = 'Basic realm="Scriptorium"'
    elif isinstance(error, NotAuthenticated):
        code = "invalid_token"
        headers["WWW-Authenticate"] = error.challenge
    elif isinstance(error, Forbidden):
        code = "insufficient_scope"
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope", scope="openid"'
    else:
        code = "server_error" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
        if isinstance(error, Throttled | Unavailable):
            code, headers["Retry-After"] = "temporarily_unavailable", str(error.retry_after)
    return answer({"error": code, "error_description": error.detail}, error.status, headers)
