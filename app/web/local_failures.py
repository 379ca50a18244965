"""Counts wrong guesses in this process only and with fewer tries: what holds while Valkey is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal, Protocol, TypeVar

T = TypeVar("T")

HOLD = 30.0
PLACE, BUSY, FULL = 0, 1, 2

MOST = 200

_REMEMBERED = 20_000

Outcome = Literal["fail", "release"]


class LimitLike(Protocol):
    """`count` failures in `period` seconds."""

    @property
    def count(self) -> int: ...
    @property
    def period(self) -> float: ...


@dataclass(frozen=True)
class Budget:
    """One limit on failures and whose it is."""

    key: str
    limit: LimitLike


class LocalFailures:
    """Gives out places for tries as `failures.lua` does; all workers together stay below each limit."""

    def __init__(self, workers: int) -> None:
        self._share = workers + 1
        self._failed: dict[str, list[float]] = {}
        self._under_way: dict[str, dict[str, float]] = {}

    def reserve(self, budgets: Sequence[Budget], name: str) -> tuple[int, float]:
        """Return PLACE, BUSY, or FULL with the seconds to wait."""
        now = monotonic()
        busy, wait = False, 0.0
        for budget in budgets:
            count = max(1, budget.limit.count // self._share)
            failed = [at for at in self._failed.get(budget.key, ()) if at > now - budget.limit.period]
            places = {held: until for held, until in self._under_way.get(budget.key, {}).items() if until > now}
            _keep(self._failed, budget.key, failed)
            _keep(self._under_way, budget.key, places)
            if len(failed) >= count:
                wait = max(wait, failed[-count] + budget.limit.period - now)
            elif len(failed) + len(places) >= count:
                busy = True
        if wait > 0:
            return FULL, wait
        if busy:
            return BUSY, 0.0
        self.hold(budgets, name)
        return PLACE, 0.0

    def hold(self, budgets: Sequence[Budget], name: str) -> None:
        """Note a try under way, whoever gave it its place."""
        for budget in budgets:
            places = self._under_way.get(budget.key, {})
            places[name] = monotonic() + HOLD
            _keep(self._under_way, budget.key, places)

    def settle(self, budgets: Sequence[Budget], name: str, outcome: Outcome) -> None:
        """Give the place back; a failed try is remembered for its window."""
        for budget in budgets:
            places = self._under_way.get(budget.key, {})
            places.pop(name, None)
            _keep(self._under_way, budget.key, places)
            if outcome == "fail":
                _keep(self._failed, budget.key, [*self._failed.get(budget.key, ())[-MOST:], monotonic()])


def _keep(known: dict[str, T], key: str, value: T) -> None:
    """Put `key` last, or away when there is nothing to keep; the longest untouched go when there are too many."""
    known.pop(key, None)
    if value:
        known[key] = value
    while len(known) > _REMEMBERED:
        known.pop(next(iter(known)))
