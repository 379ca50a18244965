"""What is dear, and how much of it somebody may have: declared beside the route, counted once for all workers.

`expensive` says of a view what its answers cost, from which budget, how many are made at a time, and how many may wait.
Budgets are by day and role (`settings`): a person's own, or, for visitors, one of their address block.  One is spent before
the work and given back when nothing came of it.  Spent: 429 until midnight UTC.  Too many at once: 503.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from valkey.exceptions import ValkeyError

from app.access import Actor
from app.errors import Throttled, Unavailable
from app.ids import now
from app.settings import Settings
from app.web.client_address import address_block
from app.web.context import current_actor, extension
from app.web.current import this_stash
from app.web.lanes import Lane
from app.web.shared_script import Client, Script, SharedStore, StoreLost

P = ParamSpec("P")
R = TypeVar("R")

VISITOR: Final = "visitor"
_ROLES: Final = ("member", "sponsor", "editor", "admin")
STAMP: Final = "__scriptorium_expense__"
REMEMBERED: Final = 10_000
_PREFIX: Final = "scriptorium:budget:"
_KEPT: Final = 2 * 86400
_REFUSED: Final = 400
_FAULTS: Final = (ValkeyError, OSError, TimeoutError)
_SCRIPT: Final = Script("budgets.lua")
# What is counted, as the sentence about it says.
_THINGS: Final[Mapping[str, str]] = {
    "exports": "files made",
    "searches": "searches",
    "bulk": "decisions about many people",
    "trails": "files of the trail",
}


@dataclass(frozen=True)
class Expense:
    """What one answer of a view costs.

    `budget` names whose daily budget pays `cost` (none: only the line counts); with `by_service` the service spends it, once
    it knows whether there is anything to do.  In one process `at_once` are made at a time and `line` wait, none longer
    than `patience` seconds; without `at_once` the service keeps its own line.
    """

    name: str
    budget: str = ""
    cost: int = 1
    by_service: bool = False
    at_once: int = 0
    line: int = 0
    patience: float = 10.0


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
    def runs_low(self) -> bool:
        """Whether less than a third is left: before that nobody needs to think of it."""
        return self.remaining * 3 < self.limit

    def headers(self, of: str) -> dict[str, str]:
        """What answers say of it: `Export-Budget-Remaining` and its like."""
        return {
            f"{of}-Budget-Limit": str(self.limit),
            f"{of}-Budget-Remaining": str(self.remaining),
            f"{of}-Budget-Reset": str(self.seconds_left),
        }

    @property
    def seconds_left(self) -> int:
        return max(1, round((self.resets_at - now()).total_seconds()))


class _NothingCameError(Exception):
    """The answer says that it was refused, so what was spent on it is given back."""


class Budgets:
    """Every budget of everybody, and the lines of this process."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._client = client
        self._store = SharedStore(client)
        self._share = settings.workers + 1
        self._alone: Counter[str] = Counter()
        self.lanes: dict[str, Lane] = {}
        self.refused: Counter[str] = Counter()
        self.by_role: Mapping[str, Mapping[str, int]] = {
            name: {role: getattr(settings, f"{name}_{role}", 0) for role in (VISITOR, *_ROLES)} for name in _THINGS
        }

    async def budget(self, name: str, actor: Actor) -> Budget:
        """How the actor stands today; raises Unavailable."""
        try:
            _, used = await self._store.run(_SCRIPT, [_key(name, actor)], ["look", 0, 0, 0])
        except StoreLost:
            raise _away() from None
        return Budget(self.limit(name, actor), int(used), _midnight())

    async def used_today(self, name: str, most: int) -> dict[UUID, int]:
        """What people used of a budget today, those with the most first; raises Unavailable."""
        valkey, pattern = self._client(), f"{_PREFIX}{name}:person:*:{_today()}"
        try:
            keys = [key async for key in valkey.scan_iter(pattern, count=1000)]
            values = await valkey.mget(keys) if keys else []
        except _FAULTS:
            raise _away() from None
        used = {UUID(_text(key).split(":")[4]): int(value or 0) for key, value in zip(keys, values, strict=True)}
        counted = sorted(used.items(), key=lambda one: (-one[1], one[0]))
        return {person: count for person, count in counted[:most] if count > 0}

    @asynccontextmanager
    async def spending(self, name: str, actor: Actor, cost: int = 1, *, strict: bool = True) -> AsyncIterator[Budget]:
        """Spend, say how the actor stands then, and take it back if the work fails; raises Throttled when too little is left.

        While Valkey is away nothing `strict` is done, because nobody would count it; of everything else each worker gives
        a share.
        """
        key, limit = _key(name, actor), self.limit(name, actor)
        budget, shared = await self._spend(key, limit, cost, name, strict=strict)
        try:
            yield budget
        except BaseException:
            await self._give_back(key, cost, shared=shared)
            raise

    async def _spend(self, key: str, limit: int, cost: int, name: str, *, strict: bool) -> tuple[Budget, bool]:
        try:
            done, used = await self._store.run(_SCRIPT, [key], ["spend", cost, limit, _KEPT])
            shared = True
        except StoreLost:
            if strict:
                raise _away() from None
            # What others gave in the meantime is not known here: this is how the actor stands with this process.
            done, shared = self._spend_alone(key, limit, cost), False
            used = self._alone[key]
        if not done:
            self.refused[name] += 1
            raise Throttled(
                f"You have had {limit} {_THINGS[name]} today. There will be more tomorrow.",
                retry_after=Budget(limit, limit, _midnight()).seconds_left,
                code="budget_spent",
            )
        return Budget(limit if shared else limit // self._share, int(used), _midnight()), shared

    def _spend_alone(self, key: str, limit: int, cost: int) -> bool:
        if len(self._alone) > REMEMBERED:
            self._alone.clear()
        if self._alone[key] + cost > limit // self._share:
            return False
        self._alone[key] += cost
        return True

    async def _give_back(self, key: str, cost: int, *, shared: bool) -> None:
        if not shared:
            self._alone[key] = max(0, self._alone[key] - cost)
            return
        try:
            await self._store.run(_SCRIPT, [key], ["return", cost, 0, _KEPT])
        except StoreLost:
            return

    def limit(self, name: str, actor: Actor) -> int:
        """How much of it the actor may have in a day: of several roles the one that gives most counts."""
        by_role = self.by_role[name]
        return max((by_role[role] for role in actor.roles), default=by_role[VISITOR])

    def lane(self, expense: Expense) -> Lane:
        """The line before what this is, in this process."""
        found = self.lanes.get(expense.name)
        if found is None:
            found = Lane(at_once=expense.at_once, line=expense.line, patience=expense.patience)
            self.lanes[expense.name] = found
        return found


def expensive(name: str, **declared: Any) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Declare what a view's answers cost (`Expense`); goes inside of the guard that says who may enter."""
    expense = Expense(name, **declared)

    def decorate(view: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(view)
        async def paid(*args: P.args, **kwargs: P.kwargs) -> R:
            budgets = extension(Budgets)
            with suppress(_NothingCameError):
                async with AsyncExitStack() as held:
                    if expense.budget and not expense.by_service:
                        paying = budgets.spending(expense.budget, current_actor(), expense.cost, strict=False)
                        this_stash().spent = await held.enter_async_context(paying)
                    if expense.at_once:
                        await held.enter_async_context(budgets.lane(expense).place())
                    answer = await view(*args, **kwargs)
                    if getattr(answer, "status_code", 0) >= _REFUSED:
                        raise _NothingCameError
            return answer

        setattr(paid, STAMP, expense)
        return paid

    return decorate


def spent() -> Budget | None:
    """How the caller stands after paying for the answer that is being made; None when it costs nothing."""
    found: Budget | None = this_stash().get("spent")
    return found


def expense_of(view: Callable[..., Any]) -> Expense | None:
    """What a view declared, or None."""
    found = getattr(view, STAMP, None)
    return found if isinstance(found, Expense) else None


def _key(name: str, actor: Actor) -> str:
    who = f"person:{actor.id}" if actor.id is not None else f"block:{address_block(actor.address or '')}"
    return f"{_PREFIX}{name}:{who}:{_today()}"


def _today() -> str:
    return f"{now().astimezone(UTC):%Y%m%d}"


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key


def _midnight() -> datetime:
    today = now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def _away() -> Unavailable:
    return Unavailable("Nothing can be made right now, because nothing can be counted", code="budgets_unavailable")
