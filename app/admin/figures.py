"""The numbers of the overview: how much there is, and what happened on each of the last thirty days (UTC).

Sign-ins and documents are counted from the audit trail, which holds every one of them; requests that a limit refused
from their own table, since each of those in the trail would let anybody fill it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import service as accounts
from app.admin.models import Refusal
from app.ids import now

DAYS: Final = 30
EXACT_BELOW: Final = 10_000
MILLION: Final = 1_000_000
# What is plotted: which kinds of events make it up.
MEASURES: Final[Mapping[str, tuple[str, ...]]] = {
    "sign_ins": ("session.opened", "token.granted"),
    "refused_sign_ins": ("sign_in.refused",),
    "commissioned": ("document.commissioned",),
    "published": ("document.published",),
}
SETTLED: Final = timedelta(hours=1)  # after midnight, no transaction of the day before is under way any more
_EVENTS = table("audit_events", column("kind", Text()), column("at", DateTime(timezone=True)))
_DAY = cast(func.timezone("UTC", _EVENTS.c.at), Date).label("day")
_BY_DAY: Select[*tuple[Any, ...]] = (
    select(_EVENTS.c.kind, _DAY, func.count().label("events"))
    .where(
        _EVENTS.c.kind == func.any(bindparam("kinds", type_=ARRAY(Text()))),
        _EVENTS.c.at >= bindparam("since", type_=DateTime(timezone=True)),
    )
    .group_by(_EVENTS.c.kind, _DAY)
)
_ESTIMATE = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)").columns(
    column("reltuples", BigInteger())
)


class Number(msgspec.Struct, frozen=True):
    """How many; `exact` is false where PostgreSQL's own estimate stands for a count that would take too long."""

    count: int
    exact: bool = True

    @property
    def words(self) -> str:
        """ "1,234", or "about 2.0 million"."""
        if self.exact:
            return f"{self.count:,}"
        if self.count >= MILLION:
            return f"about {self.count / MILLION:.1f} million"
        return f"about {round(self.count, -3):,}"


class Overview(msgspec.Struct, frozen=True):
    """How much of everything there is, and what happened by day: each list of `by_day` belongs to `days`."""

    people: dict[str, int]
    documents: Number
    entries: Number
    audit_events: Number
    days: list[date]
    by_day: dict[str, list[int]]


class Days:
    """Events by day.  The trail only grows, so a day that is over is counted once in the life of a worker."""

    def __init__(self) -> None:
        self._over: dict[date, Counter[str]] = {}

    async def events(self, db: AsyncConnection, days: Sequence[date]) -> dict[str, list[int]]:
        """How many of each measure happened on each of these days, which follow one another."""
        missing = [day for day in days if day not in self._over]
        counted = await self._count(db, missing[0]) if missing else {}
        settled = now() - SETTLED
        known = {day: self._over.get(day) or counted.get(day, Counter()) for day in days}
        self._over = {day: kinds for day, kinds in known.items() if _midnight(day) + timedelta(days=1) <= settled}
        return {name: [sum(known[day][kind] for kind in kinds) for day in days] for name, kinds in MEASURES.items()}

    async def _count(self, db: AsyncConnection, since: date) -> dict[date, Counter[str]]:
        kinds = [kind for names in MEASURES.values() for kind in names]
        counted: dict[date, Counter[str]] = defaultdict(Counter)
        for kind, day, events in await db.execute(_BY_DAY, {"kinds": kinds, "since": _midnight(since)}):
            counted[day][kind] = events
        return counted


async def overview(db: AsyncConnection, counted: Days) -> Overview:
    """All the numbers; those of today are not complete yet."""
    today = now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    return Overview(
        people={"pending": 0} | await accounts.counts(db),
        documents=await _number(db, "documents"),
        entries=await _number(db, "entries"),
        audit_events=await _number(db, "audit_events"),
        days=days,
        by_day=await counted.events(db, days) | {"limits": await _refusals_by_day(db, days)},
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def _refusals_by_day(db: AsyncConnection, days: Sequence[date]) -> list[int]:
    statement = select(Refusal.day, func.sum(Refusal.count)).where(Refusal.day >= days[0]).group_by(Refusal.day)
    counted = {row[0]: int(row[1]) for row in await db.execute(statement)}
    return [counted.get(day, 0) for day in days]


async def _number(db: AsyncConnection, name: str) -> Number:
    """How many rows a table has: counted while they are few, else what PostgreSQL noted when it last looked it over."""
    estimate = await db.scalar(_ESTIMATE, {"name": name}) or 0
    if estimate > EXACT_BELOW:
        return Number(estimate, exact=False)
    return Number(await db.scalar(select(func.count()).select_from(table(name))) or 0)
