"""What the guard demands of a request before it reads one byte of body: target, headers, framing, host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit

from app.web import refusals
from app.web.asgi import RawHeaders, Scope
from app.web.refusals import Refused

MAX_TARGET = 8 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
_LONGEST_LENGTH = 18

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Names only a proxy may speak, or that some library would believe in place of the request itself.
_HEARSAY = frozenset(
    {
        b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix",
        b"x-forwarded-server", b"x-forwarded-scheme", b"x-forwarded-ssl", b"forwarded", b"x-real-ip", b"x-client-ip",
        b"true-client-ip", b"cf-connecting-ip", b"remote-addr", b"x-http-method-override", b"x-http-method",
        b"x-method-override", b"x-original-url", b"x-rewrite-url", b"proxy", b"x-request-id",
    }
)  # fmt: skip

_SINGLE = frozenset(
    {
        b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"authorization",
        b"origin", b"upgrade", b"http2-settings", b"expect", b"if-match", b"idempotency-key",
    }
)  # fmt: skip

_BAD_IN_QUERY = re.compile(rb"[\x00-\x20\x7f]|%(?:[01][0-9a-fA-F]|7[fF])")

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Head:
    """The few headers the guard decides by; hearsay is kept apart and no longer in the scope."""

    __slots__ = ("forwarded", "hearsay", "named")

    def __init__(self, headers: RawHeaders) -> None:
        """Sort the headers; Refused when there are too many, too long, or one of a kind came twice."""
        named: dict[bytes, bytes] = {}
        size = 0
        self.hearsay: dict[bytes, bytes] | None = None
        self.forwarded: list[bytes] = []
        for name, value in headers:
            size += len(name) + len(value)
            if name in _SINGLE:
                if name in named:
                    raise Refused(refusals.BAD_HOST if name == b"host" else refusals.BAD_FRAMING)
                named[name] = value
            elif name in _HEARSAY:
                if self.hearsay is None:
                    self.hearsay = {}
                if name == b"x-forwarded-for":
                    self.forwarded.append(value)
                self.hearsay[name] = value
        if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
            raise Refused(refusals.HEADERS_TOO_LARGE)
        self.named = named


def without_hearsay(headers: RawHeaders) -> RawHeaders:
    """Return the headers without those that only a trusted proxy may send, to whom we have listened by now."""
    return [pair for pair in headers if pair[0] not in _HEARSAY]


def check_target(scope: Scope) -> None:
    """Refuse targets with control or invisible characters, raw or encoded, or that are not UTF-8 (RFC 3986 2.1)."""
    path: str = scope["path"]
    query: bytes = scope["query_string"]
    if len(path) + len(query) > MAX_TARGET or len(scope.get("raw_path") or b"") > MAX_TARGET:
        raise Refused(refusals.TARGET_TOO_LONG)
    # "//host/" would be a foreign address if any redirect repeated it.
    if not path.isprintable() or not path.startswith("/") or path.startswith("//") or "\\" in path:
        raise Refused(refusals.BAD_PATH)
    if not path.isascii() and "\ufffd" in path:
        raise Refused(refusals.BAD_PATH)
    if query and (_BAD_IN_QUERY.search(query) or not _is_utf8(query)):
        raise Refused(refusals.BAD_PATH)


def _is_utf8(query: bytes) -> bool:
    if b"%" not in query and query.isascii():
        return True
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def body_length(head: Head) -> int | None:
    """Return the announced length, 0 for no body, None for a chunked one; Refused when framing is ambiguous.

    RFC 9112 6.3 allows a server to refuse a message with both lengths; request smuggling lives on leniency here.
    """
    named = head.named
    coding = named.get(b"transfer-encoding")
    length = named.get(b"content-length")
    if coding is not None:
        if length is not None or coding.strip().lower() != b"chunked":
            raise Refused(refusals.BAD_FRAMING)
        return None
    if length is None:
        return 0
    if not length.isdigit() or len(length) > _LONGEST_LENGTH:
        raise Refused(refusals.BAD_FRAMING)
    return int(length)


def check_upgrade(head: Head) -> None:
    """Refuse the change to cleartext HTTP/2, which no reason remains to offer (RFC 9113 3.1) but smuggling."""
    if b"http2-settings" in head.named or b"h2c" in head.named.get(b"upgrade", b"").lower():
        raise Refused(refusals.NO_UPGRADE)


def check_encoding(head: Head) -> None:
    """Refuse compressed bodies: nothing here unpacks them, so they could only be a bomb or a mistake."""
    if head.named.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        raise Refused(refusals.ENCODED_BODY)


class Hosts:
    """The names this site answers to.  A host that is kept for files is none of them, also if it is loopback."""

    def __init__(self, public_url: str, port: int, allowed: Iterable[str], *, files_url: str = "") -> None:
        parts = urlsplit(public_url)
        ports = {port, parts.port or _DEFAULT_PORTS.get(parts.scheme, port)}
        names: set[str] = {parts.netloc.rpartition("@")[2]}
        for name in {parts.hostname or "", *_LOOPBACK, *allowed} - {urlsplit(files_url).hostname}:
            bare = f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name
            names.add(bare)
            names.update(f"{bare}:{number}" for number in ports)
        self._names = frozenset(name.lower().encode("latin-1") for name in names if name)
        self.origins = frozenset(
            f"{scheme}://{name.decode()}".encode() for scheme in {parts.scheme} for name in self._names
        )

    def check(self, host: bytes | None) -> None:
        """Refuse a missing host with 400 (RFC 9112 3.2) and a foreign one with 421 (RFC 9110 15.5.20)."""
        if host is None or host == b"":
            raise Refused(refusals.BAD_HOST)
        if host not in self._names and host.lower() not in self._names:
            raise Refused(refusals.WRONG_HOST)

    def check_origin(self, origin: bytes | None) -> None:
        """Refuse a WebSocket that no page of ours opens.

        Browsers let any page open a socket anywhere and send our cookies with it: only Origin tells (RFC 6455 10.2).
        """
        if origin not in self.origins:
            raise Refused(refusals.BAD_ORIGIN)
