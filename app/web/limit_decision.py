"""Decides whether a request may pass its limits: in Valkey for all workers, or alone and stricter without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple, Protocol

from app.web.shared_script import Client, Script, SharedStore, StoreLost

# From this count on a worker fetches units by the hundredth part, so that most requests ask nobody.
GENEROUS = 500
_PORTION = 100
_LONGEST_LEASE = 5.0
_REMEMBERED = 50_000

_GCRA = Script("limits.lua")


@dataclass(slots=True)
class Demand:
    """One limit that a request wants a unit of: whose, and `count` in `period` seconds."""

    key: str
    count: int
    period: float

    @property
    def portion(self) -> int:
        """How many units are fetched at once."""
        return self.count // _PORTION if self.count >= GENEROUS else 1


class Verdict(NamedTuple):
    """Whether the request passes, the seconds to wait if not, and the seconds of each demand's period in use."""

    allowed: bool
    wait: float
    used: tuple[float, ...]


class Decider(Protocol):
    """Something that decides over demands, all or none."""

    async def take(self, demands: Sequence[Demand]) -> Verdict: ...


class LocalDecider:
    """Decides in this process only, with a share of every limit: what holds when Valkey is lost.

    The share is smaller than one worker's part, so that all workers together stay below the limit.
    """

    def __init__(self, workers: int) -> None:
        self._share = workers + 1
        self._empty_at: dict[str, float] = {}

    async def take(self, demands: Sequence[Demand]) -> Verdict:
        """Decide; memory stays bounded because emptied buckets are forgotten."""
        now = monotonic()
        wait = 0.0
        found: list[tuple[Demand, float, float]] = []
        for demand in demands:
            step = demand.period / max(1, demand.count // self._share)
            empty_at = min(max(self._empty_at.get(demand.key, now), now), now + demand.period)
            wait = max(wait, empty_at + step - now - demand.period - 1e-6)
            found.append((demand, empty_at, step))
        allowed = wait <= 0
        if allowed:
            self._forget(now)
            for demand, empty_at, step in found:
                self._empty_at[demand.key] = empty_at + step
        used = tuple(empty_at - now + (step if allowed else 0) for _, empty_at, step in found)
        return Verdict(allowed, wait, used)

    def _forget(self, now: float) -> None:
        if len(self._empty_at) < _REMEMBERED:
            return
        self._empty_at = {key: empty_at for key, empty_at in self._empty_at.items() if empty_at > now}
        while len(self._empty_at) >= _REMEMBERED:
            self._empty_at.pop(next(iter(self._empty_at)))


@dataclass(slots=True, eq=False)
class _Lease:
    units: int
    until: float
    used: float


class SharedDecider:
    """Decides for all workers by one script call; generous limits are leased in portions that this worker spends."""

    def __init__(self, client: Client, *, workers: int, prefix: str) -> None:
        self.store = SharedStore(client)
        self._alone = LocalDecider(workers)
        self._prefix = prefix
        self._leases: dict[str, _Lease] = {}

    async def take(self, demands: Sequence[Demand]) -> Verdict:
        """Decide; never fails and never waits longer than the store's timeout."""
        now = monotonic()
        leases = [self._lease(demand, now) for demand in demands]
        if None not in leases:
            return self._spend(leases)
        missing = [demand for demand, lease in zip(demands, leases, strict=True) if lease is None]
        if missing:
            try:
                answer = await self.store.run(_GCRA, *self._question(missing))
            except StoreLost:
                return await self._alone.take(demands)
            if not answer[0]:
                used = iter(answer[3::2])
                return Verdict(
                    False,
                    answer[1] / 1e6,
                    tuple(next(used) / 1e6 if lease is None else lease.used for lease in leases),
                )
            leases = self._grant(demands, leases, answer, now)
        return self._spend(leases)

    def _spend(self, leases: Sequence[_Lease | None]) -> Verdict:
        used = []
        for lease in leases:
            if lease is not None:
                lease.units -= 1
            used.append(lease.used if lease is not None else 0.0)
        return Verdict(True, 0.0, tuple(used))

    def _lease(self, demand: Demand, now: float) -> _Lease | None:
        lease = self._leases.get(demand.key)
        return lease if lease is not None and lease.units > 0 and lease.until > now else None

    def _question(self, demands: Sequence[Demand]) -> tuple[list[str], list[str | int]]:
        keys = [f"{self._prefix}:limit:{demand.key}" for demand in demands]
        arguments: list[str | int] = []
        for demand in demands:
            arguments += (int(demand.period * 1_000_000), demand.count, demand.portion)
        return keys, arguments

    def _grant(
        self, demands: Sequence[Demand], held: Sequence[_Lease | None], answer: Sequence[Any], now: float
    ) -> list[_Lease | None]:
        grants = iter(zip(answer[2::2], answer[3::2], strict=True))
        leases: list[_Lease | None] = []
        for demand, lease in zip(demands, held, strict=True):
            if lease is not None:
                leases.append(lease)
                continue
            units, used = next(grants)
            fetched = _Lease(int(units), now + min(_LONGEST_LEASE, demand.period / 10), used / 1e6)
            leases.append(self._remember(demand.key, fetched, now) if units > 1 else fetched)
        return leases

    def _remember(self, key: str, lease: _Lease, now: float) -> _Lease:
        """Keep a lease, joining it to one that another request fetched meanwhile."""
        held = self._leases.get(key)
        if held is not None and held.until > now:
            held.units += lease.units
            return held
        if len(self._leases) >= _REMEMBERED:
            self._leases = {known: other for known, other in self._leases.items() if other.until > now and other.units}
            if len(self._leases) >= _REMEMBERED:
                self._leases.clear()
        self._leases[key] = lease
        return lease
