"""Writing down what a worker saw, telling what is unusual over all workers, and reading it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.ids import new_id, now
from app.watch import queries
from app.watch.kinds import KINDS
from app.watch.recorder import Gathered, Source
from app.watch.reports import Violation

KEPT: Final = timedelta(days=30)
MOST_EVENTS: Final = 20_000
MOST_REPORTS: Final = 500
BATCH: Final = 500


@dataclass(frozen=True)
class Unusual:
    """A kind of which there were too many within an hour: from one source, or, with neither, from all together."""

    kind: str
    subject: str
    block: str
    count: int


async def write(db: AsyncSession, gathered: Mapping[Source, Gathered]) -> list[Unusual]:
    """Add what was gathered to what all workers know; returns what has become unusual by it.

    The database adds up under its row locks, so of all workers exactly one sees the count pass a threshold.
    """
    sources = sorted(gathered.items())
    unusual: list[Unusual] = []
    for start in range(0, len(sources), BATCH):
        rows = [_row(source, found) for source, found in sources[start : start + BATCH]]
        for hour, kind, subject, block, count in (await db.execute(queries.add_events(rows))).all():
            added = gathered[Source(hour, kind, subject, block)].count
            usual = KINDS[kind].one_source if kind in KINDS and (subject or block) else 0
            if count - added < usual <= count:
                unusual.append(Unusual(kind, subject, block, count))
    return unusual + await _add_hours(db, gathered)


async def _add_hours(db: AsyncSession, gathered: Mapping[Source, Gathered]) -> list[Unusual]:
    added: Counter[tuple[datetime, str]] = Counter()
    for source, found in gathered.items():
        added[source.hour, source.kind] += found.count
    if not added:
        return []
    rows = [{"hour": hour, "kind": kind, "count": count} for (hour, kind), count in sorted(added.items())]
    return [
        Unusual(kind, "", "", count)
        for hour, kind, count in (await db.execute(queries.add_hours(rows))).all()
        if kind in KINDS and count - added[hour, kind] < KINDS[kind].all_sources <= count
    ]


def _row(source: Source, found: Gathered) -> dict[str, Any]:
    return {
        "id": new_id(),
        "hour": source.hour,
        "kind": source.kind,
        "subject": source.subject,
        "block": source.block,
        "count": found.count,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "request_id": found.request_id,
        "facts": found.facts,
    }


async def keep_reports(db: AsyncSession, violations: Mapping[Violation, int]) -> None:
    """Keep reports; once there are enough different ones, only those known already are counted on."""
    moment = now()
    for violation, count in sorted(violations.items()):
        row = {"digest": violation.digest, "count": count, "first_at": moment, "last_at": moment}
        await db.execute(queries.add_report(MOST_REPORTS), row | violation._asdict())


async def sweep(db: AsyncSession, /) -> None:
    """Throw away what is older than a month, and the oldest beyond what is kept at all."""
    for statement in queries.forget(now() - KEPT):
        await db.execute(statement)
    await db.execute(queries.trim(MOST_EVENTS))


async def events(
    db: AsyncConnection,
    kind: str = "",
    *,
    alerts: bool = False,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Any]:
    """Events, the newest first; `after` is the key of the last row of the page before."""
    return list((await db.execute(queries.events(kind, alerts=alerts, after=after, limit=limit))).all())


async def by_hour(db: AsyncConnection, hours: int) -> tuple[list[datetime], dict[str, list[int]]]:
    """The last hours, and for every kind how many there were in each of them."""
    last = now().replace(minute=0, second=0, microsecond=0)
    moments = [last - timedelta(hours=back) for back in reversed(range(hours))]
    counted = {(hour, kind): count for hour, kind, count in (await db.execute(queries.hours(moments[0]))).all()}
    return moments, {kind: [counted.get((moment, kind), 0) for moment in moments] for kind in KINDS}


async def reports(db: AsyncConnection, limit: int = 100) -> list[Any]:
    """Reports about the content policy, the latest first."""
    return list((await db.execute(queries.reports(limit))).all())
