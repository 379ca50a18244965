"""Old logins and tokens on their way out: revoked once nobody uses them, or after half a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from app.vault.client import VaultClient
from app.vault.credentials import Held
from app.vault.errors import VaultError
from app.vault.events import Events

LONGEST: Final = 30.0  # seconds an old login may linger; twice the longest statement we allow
LOOK: Final = 0.05

Drained = Callable[[int], bool]


class Retiring:
    """Revokes what was replaced, after everybody has let go of it."""

    def __init__(self, client: VaultClient, events: Events) -> None:
        self._client = client
        self._events = events
        self._users: set[Drained] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, drained: Drained) -> None:
        """Ask `drained(generation)` whether no connection older than `generation` is left there."""
        self._users.add(drained)

    def detach(self, drained: Drained) -> None:
        self._users.discard(drained)

    def retire(self, old: Held | None, newer: int, tokens: list[str]) -> None:
        """Let go of a login and of the tokens before, in the background; errors only postpone it to the lease's end."""
        task = asyncio.get_running_loop().create_task(self._retire(old, newer, tokens), name="retire-secrets")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Stop waiting for anybody."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _retire(self, old: Held | None, newer: int, tokens: list[str]) -> None:
        start = time.monotonic()
        while not all(drained(newer) for drained in tuple(self._users)) and time.monotonic() - start < LONGEST:
            await asyncio.sleep(LOOK)
        waited = round(time.monotonic() - start, 2)
        if old is not None:
            try:
                await self._client.revoke_lease(old.lease_id)
                self._events.tell("revoked", "database", generation=old.login.generation, drained_after=waited)
            except VaultError as error:
                self._events.tell("error", "database", reason=f"old login is left to expire: {error}")
        for token in tokens:
            try:
                await self._client.speaking_as(token).revoke_token()
                self._events.tell("revoked", "token", drained_after=waited)
            except VaultError as error:
                self._events.tell("error", "token", reason=f"old token is left to expire: {error}")
