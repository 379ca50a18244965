"""How many wrong guesses an account and an address have: counted before the check, so that no burst slips past.

A limit on requests would let an attacker's guesses use up the owner's sign-ins, and a counter raised after the check
lets 80 guesses through that arrive together.  Here a try takes a place before the password is looked at; places
and recent failures together never exceed the limit; a good sign-in gives its place back and leaves no trace.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from random import SystemRandom
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

from app.errors import Throttled
from app.web.limits import LimitSettings
from app.web.local_failures import FULL, HOLD, PLACE, Budget, LocalFailures, Outcome
from app.web.shared_script import Client, Script, SharedStore, StoreLost

PATIENCE = 10.0  # 80 sign-ins of one person at the same moment, hashed on a busy machine, take most of it

_FAILURES = Script("failures.lua")
_DICE = SystemRandom()


@dataclass
class Attempt:
    """One try under way.  Unless told otherwise by the time it ends, it has failed."""

    outcome: Outcome = field(default="fail", init=False)

    def succeeded(self) -> None:
        """The password was right: the try is not counted."""
        self.outcome = "release"

    def abandoned(self) -> None:
        """No verdict was reached, through no fault of the caller: the try is not counted."""
        self.outcome = "release"


@dataclass(frozen=True)
class _Unbounded:
    """A limit that nobody reaches: failures are remembered for the period, and refuse nothing here."""

    period: float
    count: int = 10**9


class FailureBudget:
    """Gives out places for tries, across all workers; `settings.limit(name)` says how many failures in what time."""

    def __init__(self, settings: LimitSettings, client: Client, *, prefix: str = "scriptorium") -> None:
        self._settings = settings
        self._store = SharedStore(client)
        self._alone = LocalFailures(settings.workers)
        self._prefix = prefix
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._settling: set[asyncio.Task[None]] = set()
        self.refused: Counter[str] = Counter()
        self._owed: deque[tuple[Sequence[Budget], str, Outcome]] = deque(maxlen=1000)

    @asynccontextmanager
    async def attempt(
        self, keys: Mapping[str, str], *, counted: Mapping[str, str] | None = None
    ) -> AsyncIterator[Attempt]:
        """Hold a place while a credential is checked; `keys` maps limit names to whom they count.

        A failure counts under `counted` too, but what failed there before is no reason to refuse this try.

        Waits up to 10 s, first come first served, while places are only taken by tries under way; raises Throttled
        when failures fill the window.  A place lapses by itself after 30 s, should this worker die.
        """
        budgets = [Budget(self._key(name, who), self._settings.limit(name)) for name, who in keys.items()]
        budgets += [
            Budget(self._key(name, who), _Unbounded(self._settings.limit(name).period))
            for name, who in (counted or {}).items()
        ]
        name = secrets.token_hex(8)
        try:
            shared = await self._wait_for_place(budgets, name)
        except Throttled:
            self.refused[next(iter(keys))] += 1
            raise
        attempt = Attempt()
        try:
            yield attempt
        finally:
            # Shielded: a client that hangs up after its guess must not get the guess for free.
            await asyncio.shield(self._in_background(self._settle(budgets, name, attempt.outcome, shared=shared)))

    def _key(self, name: str, who: str) -> str:
        return f"{self._prefix}:{name}:{_digest(who)}"

    async def _wait_for_place(self, budgets: Sequence[Budget], name: str) -> bool:
        # In line: the first of this worker's waiters asks again and again, and the processor is left for hashing.
        give_up = monotonic() + PATIENCE
        line = self._lines.setdefault(budgets[0].key, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE):
                await line.acquire()
        except TimeoutError:
            raise _crowded() from None
        try:
            return await self._ask_for_place(budgets, name, give_up)
        finally:
            line.release()

    async def _ask_for_place(self, budgets: Sequence[Budget], name: str, give_up: float) -> bool:
        pause = 0.005
        while True:
            found, wait, shared = await self._reserve(budgets, name)
            if found == PLACE:
                if shared:  # remembered here too, for the case that Valkey is lost before this window ends
                    self._alone.hold(budgets, name)
                return shared
            if found == FULL:
                raise Throttled("Too many wrong tries. Wait a little before the next one.", retry_after=ceil(wait))
            if monotonic() + pause > give_up:
                raise _crowded()
            await asyncio.sleep(pause * _DICE.uniform(0.5, 1.5))
            pause = min(pause * 1.5, 0.05)

    async def _reserve(self, budgets: Sequence[Budget], name: str) -> tuple[int, float, bool]:
        try:
            found, wait = await self._ask("reserve", budgets, name)
        except StoreLost:
            # It may still be given a place when Valkey wakes up; nobody would sit on it.
            self._owed.append((budgets, name, "release"))
            return *self._alone.reserve(budgets, name), False
        self._pay()
        return int(found), wait / 1e6, True

    async def _settle(self, budgets: Sequence[Budget], name: str, outcome: Outcome, *, shared: bool) -> None:
        self._alone.settle(budgets, name, outcome)
        if shared:
            try:
                await self._ask(outcome, budgets, name)
            except StoreLost:
                self._owed.append((budgets, name, outcome))

    def _pay(self) -> None:
        """Tell Valkey, now that it answers again, what it could not hear."""
        while self._owed:
            budgets, name, outcome = self._owed.popleft()
            self._in_background(self._settle_shared(budgets, name, outcome))

    async def _settle_shared(self, budgets: Sequence[Budget], name: str, outcome: Outcome) -> None:
        with suppress(StoreLost):
            await self._ask(outcome, budgets, name)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        return task

    async def _ask(self, act: str, budgets: Sequence[Budget], name: str) -> tuple[int, int]:
        keys: list[str] = []
        arguments: list[str | int] = [act, name, int(HOLD * 1e6)]
        for budget in budgets:
            keys += (f"{budget.key}:failed", f"{budget.key}:under_way")
            arguments += (budget.limit.count, int(budget.limit.period * 1e6))
        found, wait = await self._store.run(_FAILURES, keys, arguments)
        return found, wait


def _crowded() -> Throttled:
    return Throttled("Too many tries at the same time. Try again in a moment.", retry_after=1)


def _digest(who: str) -> str:
    """Keep addresses of people out of the store's keys."""
    return hashlib.sha256(who.encode()).hexdigest()[:32]
