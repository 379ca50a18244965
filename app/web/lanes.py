"""A bounded line before something that only a few may do at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import Unavailable


class Busy(Unavailable):
    """Too many wait already, or one waited too long."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too much is being made right now. Try again shortly.", code="busy", retry_after=retry_after)


class Lane:
    """`at_once` at a time in this process, `line` waiting at most, none longer than `patience` seconds."""

    def __init__(self, *, at_once: int, line: int, patience: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._at_once = at_once
        self._line = line
        self._patience = patience
        self.waiting = 0
        self.refused = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place; raises Busy when the line is full or does not move."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self.waiting >= self._line:
            raise self._busy()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self.waiting -= 1

    def _busy(self) -> Busy:
        self.refused += 1
        return Busy(max(1, round((self.waiting + 1) / self._at_once)))
