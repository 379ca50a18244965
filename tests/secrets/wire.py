"""One connection that stays open and asks the same light question again and again; a client of 500 requests a second."""

from __future__ import annotations

import asyncio

PATIENCE = 20.0


class Wire:
    """HTTP/1.1 as far as this needs it: a request without a body, an answer with a length."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str, header: str) -> int:
        """The status of one answer; 0 when the connection broke.  The next question opens another."""
        host, port = self._place
        try:
            async with asyncio.timeout(PATIENCE):
                if self._reader is None or self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(host, port)
                self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{header}\r\n\r\n".encode())
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                await self._reader.readexactly(length)
        except (OSError, EOFError, TimeoutError, ValueError):
            self.close()
            return 0
        if b"connection: close" in head.lower():
            self.close()
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
