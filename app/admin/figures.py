"""The numbers of the overview: how much there is, and what happened on each of the last thirty days (UTC).

Sign-ins and documents are counted from the audit trail, which holds every one of them; requests that a limit refused
from their own table, since each of those in the trail would let anybody fill it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Date, DateTime, Select, Text, bindparam, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.accounts import service as accounts
from app.admin.models import Refusal
from app.documents import service as documents
from app.ids import now
from app.journal import service as journal

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
_ESTIMATE = text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'audit_events'::regclass").columns(
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
    documents: int
    entries: int
    audit_events: Number
    days: list[date]
    by_day: dict[str, list[int]]


async def overview(db: AsyncConnection, actor: Actor) -> Overview:
    """All the numbers; those of today are not complete yet."""
    today = now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    return Overview(
        people={"pending": 0} | await accounts.counts(db),
        documents=sum((await documents.counts(db, actor, part=None)).values()),
        entries=await journal.count(db),
        audit_events=await _audit_events(db),
        days=days,
        by_day=await _events_by_day(db, days) | {"limits": await _refusals_by_day(db, days)},
    )


async def _events_by_day(db: AsyncConnection, days: Sequence[date]) -> dict[str, list[int]]:
    kinds = [kind for names in MEASURES.values() for kind in names]
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    counted: dict[tuple[str, date], int] = {}
    for kind, day, events in await db.execute(_BY_DAY, {"kinds": kinds, "since": since}):
        counted[kind, day] = events
    return {
        measure: [sum(counted.get((kind, day), 0) for kind in names) for day in days]
        for measure, names in MEASURES.items()
    }


async def _refusals_by_day(db: AsyncConnection, days: Sequence[date]) -> list[int]:
    statement = select(Refusal.day, func.sum(Refusal.count)).where(Refusal.day >= days[0]).group_by(Refusal.day)
    counted = {row[0]: int(row[1]) for row in await db.execute(statement)}
    return [counted.get(day, 0) for day in days]


async def _audit_events(db: AsyncConnection) -> Number:
    """Exact while they are few; then what PostgreSQL noted when it last looked the table over."""
    few = select(_EVENTS.c.kind).limit(EXACT_BELOW).subquery()
    counted = await db.scalar(select(func.count()).select_from(few)) or 0
    if counted < EXACT_BELOW:
        return Number(counted)
    return Number(max(counted, await db.scalar(_ESTIMATE) or 0), exact=False)
