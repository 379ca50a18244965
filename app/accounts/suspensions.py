"""Suspensions that end by themselves: written down soon after their end, by whichever worker looks first.

Nobody waits for this: whoever signs in is active from the very moment their suspension ends (`PersonFacts.status_at`).
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from app.accounts import service
from app.database import AWAY, Database
from app.tasks import end

LOOK_EVERY: Final = 15.0
_log = structlog.get_logger("scriptorium.accounts")


class Suspensions:
    """Looks every `LOOK_EVERY` seconds for suspensions that are over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._keep_looking(), name="suspensions")

    async def stop(self) -> None:
        """Leave it to the others."""
        if self._task is not None:
            await end(self._task)

    async def look(self) -> int:
        """End what is over; returns how many suspensions this worker ended."""
        total = 0
        while True:
            async with self._database.transaction() as db:
                ended = await service.end_suspensions(db)
            if not ended:
                return total
            total += ended

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except AWAY as error:
                _log.warning("suspensions.not_looked", reason=type(error).__name__)
            except Exception:  # noqa: BLE001  # a loop that ended silently would be missed too late
                _log.exception("suspensions.not_looked")
