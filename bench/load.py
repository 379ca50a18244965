"""A closed-loop load generator: so many connections, each asking again as soon as it was answered.

`python -m bench.load CONNECTIONS SECONDS` reads what to ask for as JSON (url, token, method, body) and prints one line of
JSON.  It checks every status, because an error is answered quickly.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from time import perf_counter
from urllib.parse import urlsplit

import uvloop


class Connection(asyncio.Protocol):
    """One connection; counts answers and how long each took."""

    def __init__(self, request: bytes, until: float, done: asyncio.Future[None]) -> None:
        self._request, self._until, self._done = request, until, done
        self._buffer = b""
        self._asked = 0.0
        self.times: list[float] = []
        self.bad = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvloop's own kind
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self.times.append(perf_counter() - self._asked)
        self.bad += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))
        self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _ask(self) -> None:
        self._asked = perf_counter()
        if self._asked >= self._until:
            self._transport.close()
        else:
            self._transport.write(self._request)


async def run(asked: dict[str, str], connections: int, seconds: float) -> dict[str, float]:
    """Load `asked`; returns how many answers there were, how many bad ones, and the median and 99th percentile in ms."""
    parts, loop = urlsplit(asked["url"]), asyncio.get_running_loop()
    body = asked["body"].encode()
    lines = [
        f"{asked['method']} {parts.path}{'?' if parts.query else ''}{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Accept: */*",
        "User-Agent: bench",
    ]
    if asked["token"]:
        lines.append(f"Authorization: Bearer {asked['token']}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    request = "\r\n".join((*lines, "", "")).encode() + body
    until, waits, made = perf_counter() + seconds, [], []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            lambda done=done: Connection(request, until, done), parts.hostname, parts.port
        )
        waits.append(done)
        made.append(protocol)
    await asyncio.gather(*waits)
    times = sorted(time for protocol in made for time in protocol.times)
    return {
        "answers": len(times),
        "bad": sum(protocol.bad for protocol in made),
        "p50": times[len(times) // 2] * 1000,
        "p99": times[len(times) * 99 // 100] * 1000,
    }


if __name__ == "__main__":
    os.sched_setaffinity(0, {1})
    print(json.dumps(uvloop.run(run(json.loads(sys.stdin.readline()), int(sys.argv[1]), float(sys.argv[2])))))
