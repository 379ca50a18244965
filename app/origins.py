"""Origins of web pages, as browsers write them."""

from __future__ import annotations

from collections.abc import Collection
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


def apart(url: str, site: str, *, own: Collection[str], plain: Collection[str]) -> str:
    """An origin that shares no host with a site, which goes by its `own` names too; raises ValueError for any other.

    Another port does not do, because cookies know none (RFC 6265 8.5); without TLS only on hosts in `plain`.
    """
    url = url.rstrip("/")
    parts, there = urlsplit(url), urlsplit(site)
    if not url:
        return url
    if parts.scheme not in ("http", "https") or "*" in url or url != serialized(url):
        raise ValueError(f"must be an origin such as https://files.example, not {url!r}")
    if parts.scheme == "http" and parts.hostname not in plain:
        raise ValueError("must be https away from loopback: files would travel readable")
    if parts.scheme != there.scheme:
        raise ValueError("must be http or https as SCRIPTORIUM_PUBLIC_URL is")
    if parts.hostname in ((there.hostname or "").rstrip("."), *own):
        raise ValueError("needs another host than SCRIPTORIUM_PUBLIC_URL and SCRIPTORIUM_ALLOWED_HOSTS")
    return url
