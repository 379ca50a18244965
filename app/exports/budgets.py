"""What a person may have made in a day, counted once for all workers in Valkey, and visible before it is used up.

A budget is spent before the work and given back when nothing came of it.  When Valkey is away nothing dear is made:
work that nobody counts would be work without a bound.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from app.access import Actor
from app.errors import Throttled, Unavailable
from app.ids import now
from app.settings import Settings

_FAULTS: Final = (ValkeyError, OSError, TimeoutError)
_KEPT: Final = 2 * 86400
_PREFIX: Final = "scriptorium:exports:"
# Spend one if there is one left: the check and the count are one step, whatever else happens.
_SPEND: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[1]) then return -1 end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return used + 1
"""
_RETURN: Final = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then return redis.call('DECR', KEYS[1]) end
return 0
"""


@dataclass(frozen=True)
class Budget:
    """`used` of `limit` today, until `resets_at` (midnight, UTC)."""

    limit: int
    used: int
    resets_at: datetime

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def seconds_left(self) -> int:
        return max(1, round((self.resets_at - now()).total_seconds()))


class Budgets:
    """The day's exports of every person."""

    def __init__(self, settings: Settings, valkey: Valkey) -> None:
        self._valkey = valkey
        self.by_role = {
            "member": settings.exports_member,
            "sponsor": settings.exports_sponsor,
            "editor": settings.exports_editor,
            "admin": settings.exports_admin,
        }
        self.refused = 0

    async def budget(self, actor: Actor) -> Budget:
        """How the actor stands today; raises Unavailable."""
        try:
            used = await cast(Awaitable[Any], self._valkey.get(_key(actor)))
        except _FAULTS:
            raise _away() from None
        return Budget(self._limit(actor), int(used or 0), _midnight())

    async def used_today(self, most: int) -> dict[UUID, int]:
        """What people used today, those with the most first; raises Unavailable."""
        try:
            keys = [key async for key in self._valkey.scan_iter(f"{_PREFIX}*:{_today()}", count=1000)]
            values = await self._valkey.mget(keys) if keys else []
        except _FAULTS:
            raise _away() from None
        used = {UUID(_text(key).split(":")[2]): int(value or 0) for key, value in zip(keys, values, strict=True)}
        counted = sorted(used.items(), key=lambda one: (-one[1], one[0]))
        return {person: count for person, count in counted[:most] if count > 0}

    @asynccontextmanager
    async def spending(self, actor: Actor) -> AsyncIterator[None]:
        """Spend one, and take it back if the work fails; raises Throttled when none is left."""
        key, limit = _key(actor), self._limit(actor)
        if await self._run(_SPEND, key, limit, _KEPT) < 0:
            self.refused += 1
            spent = Budget(limit, limit, _midnight())
            raise Throttled(
                f"You have had {limit} files made today. There will be more tomorrow.",
                retry_after=spent.seconds_left,
                code="budget_spent",
            )
        try:
            yield
        except BaseException:
            with suppress(Unavailable):
                await self._run(_RETURN, key)
            raise

    async def _run(self, script: str, key: str, *values: int) -> int:
        try:
            return int(await cast(Awaitable[Any], self._valkey.eval(script, 1, key, *map(str, values))))
        except _FAULTS:
            raise _away() from None

    def _limit(self, actor: Actor) -> int:
        return max((self.by_role.get(role, 0) for role in actor.roles), default=0)


def _key(actor: Actor) -> str:
    return f"{_PREFIX}{actor.person_id()}:{_today()}"


def _today() -> str:
    return f"{now().astimezone(UTC):%Y%m%d}"


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key


def _midnight() -> datetime:
    today = now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def _away() -> Unavailable:
    return Unavailable("Nothing can be made right now, because nothing can be counted", code="budgets_unavailable")
