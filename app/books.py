"""What a worker gathers in memory and writes to the database every few seconds, so that no request waits for it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import ClassVar

import structlog

from app.database import AWAY
from app.errors import DomainError
from app.tasks import end

_log = structlog.get_logger("scriptorium.books")


class Book(ABC):
    """Something gathered that is written every `every` seconds and a last time at the end.

    What cannot be written is kept by `_write` and tried again the next time.
    """

    every: ClassVar[float]
    name: ClassVar[str]

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name=self.name)

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            await end(self._task)
        with suppress(DomainError, OSError):
            await self.write()

    async def write(self) -> None:
        """Write what was gathered; on return also what another call had taken is written, or given back."""
        async with self._one_at_a_time:
            await self._write()

    @abstractmethod
    async def _write(self) -> None: ...

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.write()
            except AWAY as error:
                _log.warning("book.kept", book=self.name, reason=type(error).__name__)
            except Exception:  # noqa: BLE001  # a book nobody writes any more fills the memory
                _log.exception("book.kept", book=self.name)
