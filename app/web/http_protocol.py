"""What uvicorn lacks below ASGI: a bound on the size of a request's head and on the time it may take to arrive."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web import answer_head, refusals
from app.web.bodyless import LEAVING, Leaving
from app.web.headers import HeaderSet, security_headers
from app.web.refusals import PAGE_TYPE, Refusal, page_body
from app.web.request_id import new_request_id

HEAD_SECONDS = 10.0
MAX_HEAD = 64 * 1024

_NOT_HTTP = Refusal(400, "bad_request", "Bad request", "This is not a request as HTTP has it.")
_TOO_SLOW = Refusal(408, "too_slow", "Too slow", "The request did not arrive in time.")


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol that gives up on heads too large or too slow, and answers with our headers.

    httptools itself takes a header of any size and waits for it for ever, so that a few hundred slow or endless
    heads would occupy every connection we have (the attack known as slowloris).
    """

    answer_headers = HeaderSet(security_headers(https=False))
    head_seconds = HEAD_SECONDS
    max_head = MAX_HEAD

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        """Start the clock: a connection that says nothing is as costly as one that says too little."""
        super().connection_made(transport)
        self._in_head = True
        self._pending = 0
        self._leaving: Leaving | None = None
        self._clock: asyncio.TimerHandle | None = self.loop.call_later(self.head_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)
        if self._leaving is not None:
            self._leaving.happened()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()
        self._leaving = self.scope["state"][LEAVING] = Leaving()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._pending = 0
        self._stop_clock()
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            # uvicorn makes one of its own kind, in the middle of this; nothing has been sent by it yet.
            self.cycle.__class__ = answer_head.Cycle

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what has come without completing a head is what may grow and take time."""
        idle = not self._in_head
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._pending += len(data)
        if self._pending > self.max_head:
            self._answer(refusals.HEADERS_TOO_LARGE)
        elif idle and self._clock is None:
            self._clock = self.loop.call_later(self.head_seconds, self._too_slow)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's signature; its sentence is not ours
        """Answer what the parser could not read, without repeating any of it."""
        self._answer(_NOT_HTTP)

    def _too_slow(self) -> None:
        self._clock = None
        if self._pending:
            self._answer(_TOO_SLOW)
        else:
            self.transport.close()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _answer(self, refusal: Refusal) -> None:
        self._stop_clock()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            request_id = new_request_id()
            body = page_body(refusal, request_id)
            given = [
                (b"content-type", PAGE_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            lines = [b"%s: %s\r\n" % pair for pair in self.answer_headers.complete(given, request_id.encode())]
            status = b"HTTP/1.1 %d %s\r\n" % (refusal.status, refusal.title.encode())
            self.transport.write(status + b"".join(lines) + b"\r\n" + body)
        self.transport.close()


class BoundedProtocolOverTLS(BoundedProtocol):
    """The same where the public URL is https, so that its own answers carry HSTS too."""

    answer_headers = HeaderSet(security_headers(https=True))


def bounded_protocol(*, https: bool, head_seconds: float = HEAD_SECONDS) -> type[asyncio.Protocol]:
    """Return the protocol class for uvicorn's `http=`; `https` as in the public URL, for HSTS on its own answers."""
    chosen: dict[str, Any] = {"answer_headers": HeaderSet(security_headers(https=https)), "head_seconds": head_seconds}
    return type("BoundedProtocol", (BoundedProtocol,), chosen)
