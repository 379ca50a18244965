"""What the limits of this worker refused, added to the table of refusals every few seconds and at the end.

Limits are decided in Valkey, which may forget; the table does not.  A request that is refused costs no query.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.admin.models import Refusal
from app.database import Database
from app.errors import DomainError
from app.ids import now
from app.tasks import end

WRITE_EVERY: Final = 10.0
_log = structlog.get_logger("scriptorium.limits")


class Tally:
    """Writes down how far the counters have moved since the last time; each maps the name of a limit to a count."""

    def __init__(self, database: Database, counters: Callable[[], Iterable[Counter[str]]]) -> None:
        self._database = database
        self._counters = counters
        self._written: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="tally")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            await end(self._task)
        with suppress(DomainError, OSError):
            await self.write()

    async def write(self) -> None:
        """Write the refusals since the last time; what could not be written is counted again."""
        total = sum(self._counters(), Counter[str]())
        fresh = total - self._written
        if not fresh:
            return
        rows = [{"day": now().date(), "rule": rule, "count": count} for rule, count in sorted(fresh.items())]
        statement = insert(Refusal)
        statement = statement.on_conflict_do_update(
            index_elements=["day", "rule"], set_={"count": Refusal.count + statement.excluded.count}
        )
        async with self._database.transaction() as db:
            await db.execute(statement, rows)
        self._written = total

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            try:
                await self.write()
            except (DomainError, OSError) as error:
                _log.warning("tally.kept", reason=type(error).__name__)
