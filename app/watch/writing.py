"""Writes down every few seconds what the watch of this worker gathered, and raises alerts about what is unusual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from app.database import Database
from app.errors import DomainError
from app.tasks import end
from app.watch import service
from app.watch.recorder import Watch

WRITE_EVERY: Final = 2.0
log = structlog.get_logger("scriptorium.security")


class WatchBook:
    """Keeps the book of one worker's watch; what cannot be written is kept and tried again.

    `conditions` are looked at each time: one that begins to hold is an event of that kind.
    """

    def __init__(
        self, watch: Watch, database: Database, conditions: Mapping[str, Callable[[], bool]] | None = None
    ) -> None:
        self._watch = watch
        self._database = database
        self._conditions = conditions or {}
        self._holding: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="watch-book")

    async def stop(self) -> None:
        """Write the rest."""
        if self._task is not None:
            await end(self._task)
        with suppress(DomainError, OSError):
            await self.write()

    async def write(self) -> None:
        """Write what was gathered, then the alerts that came of it."""
        self._look_around()
        for _ in range(2):
            gathered, violations = self._watch.take()
            if not gathered and not violations:
                return
            try:
                async with self._database.transaction() as db:
                    unusual = await service.write(db, gathered)
                    await service.keep_reports(db, violations)
            except BaseException:
                self._watch.give_back(gathered, violations)
                raise
            for one in unusual:
                scope = "one source" if one.subject or one.block else "all sources"
                self._watch.raise_alert(one.kind, block=one.block, subject=one.subject, count=one.count, scope=scope)

    def _look_around(self) -> None:
        holding = {kind for kind, holds in self._conditions.items() if holds()}
        for kind in sorted(holding - self._holding):
            self._watch.note(kind)
        self._holding = holding

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                await self.write()
            except (DomainError, OSError) as error:
                log.warning("security.book_kept", reason=type(error).__name__)
