"""Writing the head of an answer as uvicorn does, without looking again at headers that were looked at when we started.

uvicorn goes over name and value of each header with two expressions; most of our headers are the same ten in every
answer.  Those are looked at once, by the same expressions, when the guard that adds them is made; everything else is
looked at each time, as it must be.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from app.web.asgi import Message

_LINES: dict[tuple[bytes, bytes], bytes] = {}
_HEEDED = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_BODYLESS = frozenset({204, 304})


def look_at(pairs: Iterable[tuple[bytes, bytes]]) -> None:
    """Check headers that many answers will carry, names in lower case, and keep them as lines."""
    _LINES.update({(name, value): _line(_good(name), value) for name, value in pairs})


@lru_cache(maxsize=256)
def _good(name: bytes) -> bytes:
    """A name that may be sent, in lower case; there are few, and no caller chooses them."""
    if HEADER_RE.search(name):
        raise RuntimeError("the name of a header that cannot be sent")
    return name.lower()


def _line(name: bytes, value: bytes) -> bytes:
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("a header that cannot be sent")
    return b"%s: %s\r\n" % (name, value)


class Cycle(RequestResponseCycle):
    """One request and its answer; only the head is written in another way."""

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        """As uvicorn's, to which goes what is no head, and what has to wait or to be logged there."""
        ours = message["type"] == "http.response.start" and not (
            self.response_started or self.disconnected or self.access_log or self.flow.write_paused
        )
        return self._begin(message) if ours else super().send(message)

    async def _begin(self, message: Message) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        status: int = message["status"]
        head = [STATUS_LINE[status]]
        says_close = False
        for pair in (*self.default_headers, *message.get("headers", ())):
            line = _LINES.get(pair)
            if line is None:
                name, value = _good(pair[0]), pair[1]
                line = _line(name, value)
                if name in _HEEDED:
                    says_close |= self._heed(name, value)
            head.append(line)
        if not self.keep_alive and not says_close:
            head.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _BODYLESS:
            self.chunked_encoding = True
            head.append(b"transfer-encoding: chunked\r\n")
        head.append(b"\r\n")
        self.transport.write(b"".join(head))

    def _heed(self, name: bytes, value: bytes) -> bool:
        """Take to heart what a header says of the body to come (RFC 9112 6); returns whether it ends the connection."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length = 0
            self.chunked_encoding = True
        elif name == b"connection" and b"close" in (part.strip() for part in value.lower().split(b",")):
            self.keep_alive = False
            return True
        return False
