"""Origins of web pages, as browsers write them."""

from __future__ import annotations

from urllib.parse import urlsplit


def serialized(origin: str) -> str:
    """The origin as a browser writes it: lower case, no default port, no path (RFC 6454 6.2)."""
    parts = urlsplit(origin)
    host = (parts.hostname or "").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    try:
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + ("" if port in (None, usual) else f":{port}") if shown.isascii() else ""
