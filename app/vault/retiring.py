"""Old logins and tokens on their way out: revoked once nobody uses them, or after half a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from app.tasks import end
from app.vault.client import VaultClient
from app.vault.errors import VaultError
from app.vault.events import Events

LONGEST: Final = 30.0  # seconds an old login may linger; twice the longest statement we allow
LOOK: Final = 0.05
LAST_WORDS: Final = 5.0  # seconds Vault may take to hear the last revocations

ATTACHING: Final = 5.0  # seconds the processes of this host get to attach to a broker that took over

Drained = Callable[[int], bool]


@dataclass(frozen=True)
class Leaving:
    """What was replaced by the login of generation `newer`: a lease, and tokens that would take leases along."""

    newer: int
    generation: int = 0
    lease_id: str | None = field(default=None, repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)


class Retiring:
    """Revokes what was replaced, after everybody has let go of it."""

    def __init__(self, client: VaultClient, events: Events, settled: Callable[[], None]) -> None:
        self._client = client
        self._events = events
        self._settled = settled
        self._users: set[Drained] = set()
        self._tasks: dict[asyncio.Task[None], Leaving] = {}
        self._hurry = False
        self._not_before = 0.0

    @property
    def pending(self) -> tuple[Leaving, ...]:
        """What is still to be revoked."""
        return tuple(self._tasks.values())

    def attach(self, drained: Drained) -> None:
        """Ask `drained(generation)` whether no connection older than `generation` is left there."""
        self._users.add(drained)

    def detach(self, drained: Drained) -> None:
        self._users.discard(drained)

    def take_over(self, pending: Iterable[Leaving]) -> None:
        """Go on where an earlier process was killed; those it served need a moment to attach to us."""
        self._not_before = time.monotonic() + ATTACHING
        for leaving in pending:
            self.retire(leaving)

    def retire(self, leaving: Leaving) -> None:
        """Let go in the background; an error only postpones it to the end of the lease."""
        task = asyncio.get_running_loop().create_task(self._retire(leaving), name="retire-secrets")
        self._tasks[task] = leaving
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled():
            self._settled()

    async def finish(self) -> None:
        """Revoke at once what still waits: nobody is served any more."""
        self._hurry = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_WORDS)
        await end(*self._tasks)

    def _in_use(self, generation: int) -> bool:
        if self._hurry:
            return False
        return time.monotonic() < self._not_before or not all(drained(generation) for drained in tuple(self._users))

    async def _retire(self, leaving: Leaving) -> None:
        start = time.monotonic()
        while self._in_use(leaving.newer) and time.monotonic() - start < LONGEST:  # noqa: ASYNC110  # see below
            await asyncio.sleep(LOOK)  # the counts are kept elsewhere, in pools and at the far end of sockets
        waited = round(time.monotonic() - start, 2)
        if leaving.lease_id is not None:
            try:
                await self._client.revoke_lease(leaving.lease_id)
                self._events.tell(
                    "revoked",
                    "database",
                    generation=leaving.generation,
                    drained_after=waited,
                )
            except VaultError as error:
                self._events.tell("error", "database", reason=f"old login is left to expire: {error}")
        for token in leaving.tokens:
            try:
                await self._client.speaking_as(token).revoke_token()
                self._events.tell("revoked", "token", drained_after=waited)
            except VaultError as error:
                self._events.tell("error", "token", reason=f"old token is left to expire: {error}")
