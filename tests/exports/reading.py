"""Reads a document again and again on some lines at once, in a process of its own: `python -m tests.exports.reading URL LINES
PAUSE`, the token on the first line of standard input.  For each further line it prints how long reading took since the last
one: the 99th percentile and how many there were.

What a reader waits for must be the server: here a reading costs a tenth of a millisecond, and the readers pause for different
times, so that they do not stand in line behind each other.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from math import ceil
from urllib.parse import urlsplit

import uvloop


class Reading:
    """Readers, each on a connection of its own."""

    def __init__(self, url: str, token: str, pause: float) -> None:
        parts = urlsplit(url)
        self._at = (parts.hostname, parts.port)
        self._asked = (
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        self._pause = pause
        self._took: list[float] = []

    async def read(self) -> None:
        reader, writer = await asyncio.open_connection(*self._at)
        while True:
            began = time.perf_counter()
            writer.write(self._asked)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
            self._took.append(time.perf_counter() - began)
            assert head.startswith("http/1.1 200"), head
            await asyncio.sleep(random.uniform(0.5, 1.5) * self._pause)

    def since(self) -> dict[str, float]:
        took, self._took = sorted(self._took), []
        return {"p99": took[ceil(len(took) * 0.99) - 1], "count": len(took)}


async def main(url: str, lines: int, pause: float) -> None:
    """Read until standard input ends, or a reader fails."""
    given = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(given), sys.stdin)
    reading = Reading(url, (await given.readline()).decode().strip(), pause)
    tasks = [asyncio.create_task(reading.read()) for _ in range(lines)]
    while await given.readline():
        for task in tasks:
            assert not task.done(), task.exception()
        sys.stdout.write(json.dumps(reading.since()) + "\n")
        sys.stdout.flush()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
