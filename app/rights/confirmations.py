"""That every worker has heard a notice, collected through Valkey, so that an administrator can be told.

Workers sign in to a sorted set by the server's clock once a second; one that was silent for three is not waited for.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from app.tasks import end

WORKERS: Final = "scriptorium:workers"
ROLL_CALL_EVERY: Final = 1.0
PRESENT_FOR: Final = 3.0
PATIENCE: Final = 1.0
_CONFIRMATION: Final = "scriptorium:heard:{}"
_FAULTS = (ValkeyError, OSError, TimeoutError)
_log = structlog.get_logger("scriptorium.rights")


@dataclass(frozen=True)
class Heard:
    """How many of the workers have confirmed, and how many seconds the last of them took."""

    workers: int
    confirmed: int
    seconds: float

    @property
    def words(self) -> str:
        """ "4 workers confirmed in 12 ms", or "3 of 4 workers have confirmed"."""
        if self.workers == 0:
            return "The workers could not be asked."
        if self.confirmed < self.workers:
            return f"{self.confirmed} of {self.workers} workers have confirmed so far."
        counted = "The worker" if self.workers == 1 else f"All {self.workers} workers"
        return f"{counted} confirmed within {max(1, round(self.seconds * 1000))} ms."


class RollCall:
    """This worker's presence and confirmations, and the count of everybody's."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self.worker = secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Be present from now on."""
        self._task = asyncio.get_running_loop().create_task(self._be_present(), name="roll-call")

    async def stop(self) -> None:
        """Be missed by nobody."""
        if self._task is not None:
            await end(self._task)
        with suppress(*_FAULTS):
            await self._valkey.zrem(WORKERS, self.worker)

    def confirm(self, nonce: str) -> None:
        """Say that this worker has heard; in the background, the loop is not kept waiting."""
        task = asyncio.get_running_loop().create_task(self._confirm(nonce), name="confirm-notice")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def wait_for(self, nonce: str, since: float, *, patience: float = PATIENCE) -> Heard:
        """Wait until all workers confirmed or `patience` seconds are over; `since` is `monotonic()` at the commit."""
        workers = confirmed = 0
        key = _CONFIRMATION.format(nonce)
        while True:
            try:
                async with self._valkey.pipeline(transaction=False) as pipe:
                    pipe.zcount(WORKERS, await self._now() - PRESENT_FOR, "+inf")
                    pipe.scard(key)
                    workers, confirmed = await pipe.execute()
            except _FAULTS:
                return Heard(0, 0, monotonic() - since)
            if confirmed >= workers > 0 or monotonic() - since > patience:
                return Heard(workers, min(confirmed, workers), monotonic() - since)
            await asyncio.sleep(0.01)

    async def _confirm(self, nonce: str) -> None:
        key = _CONFIRMATION.format(nonce)
        with suppress(*_FAULTS):
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.sadd(key, self.worker)
                pipe.expire(key, 60)
                await pipe.execute()

    async def _be_present(self) -> None:
        while True:
            with suppress(*_FAULTS):
                now = await self._now()
                async with self._valkey.pipeline(transaction=False) as pipe:
                    pipe.zadd(WORKERS, {self.worker: now})
                    pipe.zremrangebyscore(WORKERS, "-inf", now - 60)
                    await pipe.execute()
            await asyncio.sleep(ROLL_CALL_EVERY)

    async def _now(self) -> float:
        seconds, microseconds = await self._valkey.time()
        return float(seconds) + float(microseconds) / 1e6
