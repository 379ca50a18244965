"""Runs the limits' scripts in Valkey with a hard bound on the wait, and knows when Valkey is lost."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import NoScriptError, ValkeyError

log = structlog.get_logger(__name__)

TIMEOUT = 0.25
RETRY = 1.0

Client = Callable[[], Valkey]


class StoreLost(Exception):
    """Valkey did not answer in time, or not at all; decide without it."""


@dataclass
class _Breaker:
    """Whether one Valkey is lost, and from when on one caller may look for it again."""

    lost: bool = False
    ask_again_at: float = 0.0


# One for each client: limits and guesses that share a Valkey also share the knowledge that it hangs, so that a
# request which needs both waits once.
_BREAKERS: WeakKeyDictionary[Valkey, _Breaker] = WeakKeyDictionary()


class SharedStore:
    """Valkey, as far as the limits use it.

    After a failure nobody waits for it again until one call, once a second, has found it back; so a hanging
    Valkey costs a quarter of a second once, not per request.
    """

    def __init__(self, client: Client, *, timeout: float = TIMEOUT, retry: float = RETRY) -> None:
        self._client = client
        self._timeout = timeout
        self._retry = retry

    @property
    def lost(self) -> bool:
        """Whether Valkey did not answer when it was last asked."""
        return self._breaker().lost

    def _breaker(self) -> _Breaker:
        return _BREAKERS.setdefault(self._client(), _Breaker())

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run `script` atomically; raises StoreLost."""
        breaker = self._breaker()
        if breaker.lost:
            if monotonic() < breaker.ask_again_at:
                raise StoreLost
            breaker.ask_again_at = monotonic() + self._retry
        try:
            async with asyncio.timeout(self._timeout):
                answer = await script.run(self._client(), keys, arguments)
        except (ValkeyError, OSError, TimeoutError) as error:
            self._mark_lost(breaker, error)
            raise StoreLost from error
        if breaker.lost:
            breaker.lost = False
            log.info("limits.store_back")
        return answer

    def _mark_lost(self, breaker: _Breaker, error: Exception) -> None:
        breaker.ask_again_at = monotonic() + self._retry
        if not breaker.lost:
            breaker.lost = True
            log.error("limits.store_lost", error=type(error).__name__, now="stricter limits, in this process only")


class Script:
    """A Lua script kept beside this module, called by its digest."""

    def __init__(self, name: str) -> None:
        self._text = files(__package__).joinpath(name).read_text("utf-8")
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Valkey, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run it, loading it first where the server does not know it (after a restart of Valkey)."""
        command: Any = client.execute_command  # untyped in the client
        given = (len(keys), *keys, *arguments)
        try:
            return await command("EVALSHA", self._digest, *given)
        except NoScriptError:
            return await command("EVAL", self._text, *given)
