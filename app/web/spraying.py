"""Sees guessing that is spread out: one password over many accounts, one place over many accounts, one account from
many places.  Each single count of failures stays below its limit there, so these are counted across them.

What is counted is distinct accounts or blocks, for failed guesses only: honest people who mistype their own password make
one account from one place, however often.  A tried password is known by a short keyed hash (HMAC under the pepper, which
is Vault's), which cannot be turned back without that key and lapses in minutes; the counts themselves
(HyperLogLog) hold neither passwords nor accounts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from math import ceil
from time import monotonic
from typing import Final

from app.errors import Throttled
from app.resources import JUST_NOW, MANY, USUAL, Guess, Spread
from app.web.limits import LimitSettings
from app.web.shared_script import Client, Script, SharedStore, StoreLost

PERIODS: Final = 10  # a count lives so many periods of SIGN_IN_ADDRESS: spraying is slow
REMEMBERED: Final = 10_000
_SCRIPT = Script("spraying.lua")
_SAID = "Too many accounts were tried with wrong passwords. Wait a while before the next try."


class SprayBrake:
    """The counts over all workers.  The numbers follow SCRIPTORIUM_LIMIT_SIGN_IN_ADDRESS, in which they are included.

    With its default of 50 failures a minute: within ten minutes one password may fail for 25 accounts, one block for 50,
    and one account may be guessed at from 10 blocks before it takes longer.
    """

    def __init__(self, settings: LimitSettings, client: Client, *, prefix: str = "scriptorium") -> None:
        self._settings = settings
        self._store = SharedStore(client)
        self._prefix = prefix
        self._alone = _LocalCounts(settings.workers)
        self.refused: Counter[str] = Counter()

    async def check(self, guess: Guess) -> Spread:
        """How spread out this already is; raises Throttled when its password or its block has failed too widely."""
        spread = await self._ask("look", guess)
        if spread.password or spread.block:
            self.refused["SPRAY" if spread.password else "MANY_ACCOUNTS"] += 1
            raise Throttled(_SAID, retry_after=ceil(spread.wait))
        return spread

    async def failed(self, guess: Guess) -> Spread:
        """Count a guess that was wrong."""
        return await self._ask("add", guess)

    async def _ask(self, act: str, guess: Guess) -> Spread:
        limit = self._settings.limit("SIGN_IN_ADDRESS")
        life, most = limit.period * PERIODS, _most(limit.count)
        account, block = _digest(guess.account), _digest(guess.block)
        keys = [f"{self._prefix}:spread:{name}" for name in (f"p:{guess.tag}", f"b:{block}", f"a:{account}")]
        counted = (account, account, block)
        try:
            password, place, whom, wait = await self._store.run(_SCRIPT, keys, [act, *counted, int(life * 1000), *most])
            return Spread(password, place, whom, wait / 1000)
        except StoreLost:
            return self._alone.ask(act, keys, counted, life, most)


class _LocalCounts:
    """The same in this process only and with a share of each number: what holds while Valkey is lost."""

    def __init__(self, workers: int) -> None:
        self._share = workers + 1
        self._counts: dict[str, tuple[float, set[str]]] = {}

    def ask(self, act: str, keys: list[str], counted: tuple[str, ...], life: float, most: tuple[int, ...]) -> Spread:
        now, verdicts, wait = monotonic(), [], 0.0
        for key, what, number in zip(keys, counted, most, strict=True):
            enough = max(2, number // self._share)
            until, known = self._counts.get(key, (0.0, set[str]()))
            if until <= now:
                until, known = now + life, set()
            before = len(known)
            if act == "add" and before < enough:
                known.add(what)
                self._keep(key, until, known)
            many = len(known) >= enough
            verdicts.append((JUST_NOW if before < enough else MANY) if many else USUAL)
            wait = max(wait, until - now) if many else wait
        return Spread(verdicts[0], verdicts[1], verdicts[2], wait)

    def _keep(self, key: str, until: float, known: set[str]) -> None:
        self._counts.pop(key, None)
        self._counts[key] = until, known
        while len(self._counts) > REMEMBERED:
            self._counts.pop(next(iter(self._counts)))


def _most(count: int) -> tuple[int, int, int]:
    """From which number on accounts of a password, accounts of a block and blocks of an account are too many."""
    return max(5, count // 2), max(5, count), max(5, count // 5)


def _digest(who: str) -> str:
    return hashlib.sha256(who.encode("utf-8", "surrogatepass")).hexdigest()[:32]
