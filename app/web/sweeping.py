"""What is no longer of use is thrown away once an hour, by whichever worker comes first."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import AWAY, Database
from app.tasks import end

EVERY: Final = 3600.0
_LOCK: Final = 0x5C21B7  # one sweeper at a time in the whole database; the others have nothing to do
_TAKE = text("SELECT pg_try_advisory_xact_lock(:lock)")
_log = structlog.get_logger("scriptorium.sweeping")


class Sweep(Protocol):
    """Throws one kind of old rows away, in the transaction it is given."""

    async def __call__(self, db: AsyncSession, /) -> None: ...


class Sweeper:
    """Runs its sweeps every `EVERY` seconds, the first at a random moment, so that many workers do not meet."""

    def __init__(self, database: Database, sweeps: Sequence[Sweep]) -> None:
        self._database = database
        self._sweeps = sweeps
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._keep_sweeping(), name="sweeper")

    async def stop(self) -> None:
        """Stop; a sweep under way is rolled back."""
        if self._task is not None:
            await end(self._task)

    async def sweep(self) -> bool:
        """Run every sweep now, each in its own transaction; false when another worker is at it."""
        for sweep in self._sweeps:
            async with self._database.transaction() as db:
                if not await db.scalar(_TAKE, {"lock": _LOCK}):
                    return False
                await sweep(db)
        return True

    async def _keep_sweeping(self) -> None:
        await asyncio.sleep(secrets.randbelow(int(EVERY)))
        while True:
            try:
                await self.sweep()
            except AWAY as error:
                _log.warning("sweeping.put_off", reason=type(error).__name__)
            except Exception:  # noqa: BLE001  # a loop that ended silently would be missed too late
                _log.exception("sweeping.put_off")
            await asyncio.sleep(EVERY)
