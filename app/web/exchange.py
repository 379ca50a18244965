"""One request and its answer on their way through the guard: bytes counted, time kept, headers completed."""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic

from app.web import refusals
from app.web.asgi import Message, RawHeaders, Receive, Send
from app.web.faces import for_programs
from app.web.headers import HeaderSet
from app.web.refusals import PAGE_TYPE, PROBLEM_TYPE, Refusal, page_body, problem_body
from app.web.uploads import Gate

# How much of a refused body is still read, so that a client that writes before it reads sees our answer
# instead of a reset connection (what others call a lingering close).
_DRAIN_BYTES = 32 * 1024 * 1024
_DRAIN_SECONDS = 2.0


class Exchange:
    """Wraps `receive` and `send` of one request; a body too large or too slow is answered here, at once."""

    __slots__ = (
        "_deadline", "_headers", "_home", "_path", "_receive", "_remaining", "_send", "bodyless", "gate",
        "refused", "request_id", "status",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, headers: HeaderSet, path: str) -> None:
        self._receive = receive
        self._send = send
        self._headers = headers
        self._path = path
        self._home = ""
        self._remaining = 0
        self._deadline = 0.0
        self.request_id = ""
        self.status = 0
        self.bodyless = True
        self.refused: Refusal | None = None
        self.gate: Gate | None = None

    def answer_elsewhere(self, headers: HeaderSet, home: str) -> None:
        """Answer with other headers, as not the site itself, which is at `home`."""
        self._headers = headers
        self._home = home

    def expect_body(self, cap: int, seconds: float) -> None:
        """Allow a body of at most `cap` bytes that is complete within `seconds`."""
        self.bodyless = False
        self._remaining = cap
        self._deadline = monotonic() + seconds

    async def receive(self) -> Message:
        """Pass on what arrives; when the body breaks its bounds, answer and tell the application the client left."""
        if self.refused is not None:
            return {"type": "http.disconnect"}
        if self.bodyless:
            return await self._receive()
        try:
            async with asyncio.timeout(self._deadline - monotonic()):
                if self.gate is not None:
                    await self.gate.room()
                message = await self._receive()
        except TimeoutError:
            await self.refuse(refusals.TOO_SLOW)
            return {"type": "http.disconnect"}
        if message["type"] != "http.request":
            return message
        size = len(message.get("body", b""))
        self._remaining -= size
        if self.gate is not None:
            self.gate.came(size)
        if self._remaining < 0:
            await self.refuse(refusals.TOO_LARGE, drain=True)
            return {"type": "http.disconnect"}
        if not message.get("more_body", False):
            self.bodyless = True  # all of it is here: from now on we only wait for the client to leave
        return message

    async def send(self, message: Message) -> None:
        """Pass on the answer with its headers completed; nothing more once we have refused."""
        if self.refused is not None:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given: RawHeaders = message.get("headers", [])
            message["headers"] = self._headers.complete(given, self.request_id.encode())
        await self._send(message)

    async def refuse(self, refusal: Refusal, *, drain: bool = False) -> None:
        """Answer in the application's place, unless its answer has begun; then only the connection can end."""
        self.refused = refusal
        if self.status:
            return
        self.status = refusal.status
        programs = for_programs(self._path)
        told = problem_body if programs else partial(page_body, home=self._home)
        body = told(refusal, self.request_id)
        headers = [
            (b"content-type", (PROBLEM_TYPE if programs else PAGE_TYPE).encode()),
            (b"content-length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in refusal.headers),
        ]
        if refusal.ends_connection:
            headers.append((b"connection", b"close"))
        start = self._headers.complete(headers, self.request_id.encode())
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": start})
        await self._send({"type": "http.response.body", "body": body, "more_body": drain})
        if drain:
            await self._drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        remaining = _DRAIN_BYTES
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while remaining > 0:
                    message = await self._receive()
                    remaining -= len(message.get("body", b""))
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return
        except TimeoutError:
            return
