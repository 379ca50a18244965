"""A cookie by which a browser is known again: a random value that says "somebody signed in here before", and no more.

It carries no authority: whoever holds it still needs the password.  It only decides which counter of failures a try
falls under, so that strangers' guesses do not use up the owner's (OWASP Authentication Cheat Sheet, "device cookies").
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from typing import Final

from quart import Response, request

from app.web.context import settings

LIFE: Final = 400 * 86400  # the longest that browsers keep a cookie (RFC 6265bis 5.5)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def _name() -> str:
    return ("__Host-" if settings().secure else "") + "scriptorium_device"


def device_mark() -> bytes | None:
    """The hash of this browser's mark, or None when it has none."""
    token = request.cookies.get(_name(), "")
    return _hash(token) if _TOKEN.fullmatch(token) else None


def device_token() -> tuple[str, bytes]:
    """This browser's mark, a new one if it has none, and its hash; it is one mark for all who sign in here."""
    token = request.cookies.get(_name(), "")
    if not _TOKEN.fullmatch(token):
        token = secrets.token_urlsafe(32)
    return token, _hash(token)


def keep_device(response: Response, token: str) -> None:
    """Send the mark with the answer."""
    response.set_cookie(_name(), token, max_age=LIFE, path="/", secure=settings().secure, httponly=True, samesite="Lax")


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
