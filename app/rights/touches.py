"""When credentials were last used, written in batches: no request waits for it or causes a query of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.sql.dml import Update

from app.database import Database
from app.errors import DomainError
from app.tasks import end

WRITE_EVERY: Final = 20.0  # seconds; SPEC asks for at most once a minute
_log = structlog.get_logger("scriptorium.accounts")


class Touches:
    """Collects last uses and writes them every `WRITE_EVERY` seconds and at the end.

    `statement` is an UPDATE with the parameters `touched_id` and `seen_at`.
    """

    def __init__(self, database: Database, statement: Update) -> None:
        self._database = database
        self._statement = statement
        self._seen: dict[UUID, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, used: UUID, moment: datetime) -> None:
        """This credential was used just now."""
        self._seen[used] = moment

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="touches")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            await end(self._task)
        with suppress(DomainError, OSError):
            await self.write()

    async def write(self) -> None:
        """Write what was collected; what could not be written is kept for the next time."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        rows = [{"touched_id": used, "seen_at": moment} for used, moment in sorted(seen.items())]
        try:
            async with self._database.transaction() as db:
                connection = await db.connection()
                await connection.execute(self._statement, rows)
        except BaseException:
            self._seen = {**seen, **self._seen}
            raise

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                await self.write()
            except (DomainError, OSError) as error:
                _log.warning("touches.kept", reason=type(error).__name__)


class SessionTouches(Touches):
    """When browser sessions were last used."""


class KeyTouches(Touches):
    """When API keys were last used."""
