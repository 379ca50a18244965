"""Decides which addresses we send people on to after an act: our own pages, and never anywhere else."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from quart import request

_LONGEST = 2048


def local_path(value: str | None) -> str | None:
    """Return `value` when it is a path on this site that every browser reads as one, else None (ASVS 3.7.2).

    Browsers turn `\\` into `/`, drop tabs and newlines, and take `//host` for another host; proxies may decode once
    more.  What could be read in two ways is refused.
    """
    if not value or len(value) > _LONGEST or not value.startswith("/"):
        return None
    decoded = value
    for _ in range(3):
        if decoded.startswith(("//", "/\\")) or "\\" in decoded or not decoded.isprintable():
            return None
        decoded = unquote(decoded)
    parts = urlsplit(value)
    if parts.scheme or parts.netloc or "//" in unquote(parts.path) or "\\" in decoded or not decoded.isprintable():
        return None
    return value


def referring_path() -> str | None:
    """Return the path of the page this request was sent from, when that page is ours."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if parts.netloc != request.host:
        return None
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
