"""When sessions were last used, written in batches: a request never waits for it and never causes a query of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from app.accounts import queries
from app.database import Database
from app.errors import DomainError

WRITE_EVERY: Final = 20.0
_log = structlog.get_logger("scriptorium.accounts")


class Touches:
    """Collects last uses and writes them every `WRITE_EVERY` seconds and at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[UUID, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, session_id: UUID, moment: datetime) -> None:
        """This session was used just now."""
        self._seen[session_id] = moment

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="session-touches")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(DomainError, OSError):
            await self.write()

    async def write(self) -> None:
        """Write what was collected; what could not be written is kept for the next time."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        rows = [{"touched_id": session_id, "seen_at": moment} for session_id, moment in sorted(seen.items())]
        try:
            async with self._database.transaction() as db:
                connection = await db.connection()
                await connection.execute(queries.TOUCH_SESSIONS, rows)
        except BaseException:
            self._seen = {**seen, **self._seen}
            raise

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                await self.write()
            except (DomainError, OSError) as error:
                _log.warning("session.touches_kept", reason=type(error).__name__)
