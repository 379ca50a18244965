"""One JSON line per request, gathered and written in batches so that logging costs a request next to nothing."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from app.web.redaction import redact

_FLUSH_AFTER = 0.1
_FLUSH_AT = 200
_LONGEST_PATH = 512
_SHORTEST_TOKEN = 24  # nothing shorter can hold a credential
# Nor can what is made of these alone: tokens have dots, colons or signs in them, and our own keys an underscore.
_HARMLESS = re.compile(r"[A-Za-z0-9/-]+")
_LONGEST_METHOD = 16

Write = Callable[[bytes], object]
_Noted = tuple[float, str, bytes, int, float, str, str]  # when, and what `add` is told


def _to_standard_error(lines: bytes) -> None:
    view = memoryview(lines)
    while view:
        view = view[os.write(2, view) :]


class AccessLog:
    """Collects requests and hands their lines to `write` every 100 ms or 200 lines; `flush` at the end loses none."""

    def __init__(self, write: Write = _to_standard_error) -> None:
        self._write = write
        self._noted: list[_Noted] = []
        self.lost = 0
        self._timer: asyncio.TimerHandle | None = None
        self._second = 0
        self._stamp = ""

    def add(self, method: str, raw_path: bytes, status: int, seconds: float, request_id: str, client: str) -> None:
        """Note one answered request; its line is made when lines are written, many in a row, which is much cheaper."""
        self._noted.append((time.time(), method, raw_path, status, seconds, request_id, client))
        if len(self._noted) >= _FLUSH_AT:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def _line(self, noted: _Noted) -> bytes:
        """The path stays percent-encoded and the query is left out: it may be private."""
        at, method, raw_path, status, seconds, request_id, client = noted
        path = raw_path[:_LONGEST_PATH].decode("latin-1")
        if len(path) > _SHORTEST_TOKEN and not _HARMLESS.fullmatch(path):
            path = redact(path)
        return orjson.dumps(
            {
                "time": self._moment(at),
                "level": "info",
                "event": "request",
                "method": method[:_LONGEST_METHOD],
                "path": path,
                "status": status,
                "ms": round(seconds * 1000, 2),
                "request_id": request_id,
                "client": client,
            }
        )

    def _moment(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._stamp}.{int((at - second) * 1000):03d}Z"

    def flush(self) -> None:
        """Write what has been gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._noted:
            noted, self._noted = self._noted, []
            try:
                self._write(b"\n".join(map(self._line, noted)) + b"\n")
            except OSError:  # a full or closed pipe must not become the requests' problem
                self.lost += len(noted)
