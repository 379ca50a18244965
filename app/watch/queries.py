"""Statements of the watch: adding to what is known, reading it, and throwing away what is old or too much."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Delete, Insert, Select, Table, bindparam, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.watch.kinds import ALERT
from app.watch.models import PolicyReport, SecurityEvent, SecurityHour


def add_events(rows: list[dict[str, Any]]) -> Any:
    """Add to each source's count; gives the key and the count over all workers."""
    statement = insert(SecurityEvent).values(rows)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["hour", "kind", "subject", "block"],
        set_={
            "count": SecurityEvent.count + new.count,
            "last_at": func.greatest(SecurityEvent.last_at, new.last_at),
            "request_id": new.request_id,
            "facts": new.facts,
        },
    ).returning(SecurityEvent.hour, SecurityEvent.kind, SecurityEvent.subject, SecurityEvent.block, SecurityEvent.count)


def add_hours(rows: list[dict[str, Any]]) -> Any:
    """Add to the sums of hours; gives them."""
    statement = insert(SecurityHour).values(rows)
    return statement.on_conflict_do_update(
        index_elements=["hour", "kind"], set_={"count": SecurityHour.count + statement.excluded.count}
    ).returning(SecurityHour.hour, SecurityHour.kind, SecurityHour.count)


def add_report(most: int) -> Insert:
    """Add to a report's count, or keep a new one while there are fewer than `most`."""
    table = cast(Table, PolicyReport.__table__)
    names = [column.name for column in table.columns]
    few = select(func.count()).select_from(PolicyReport).scalar_subquery() < most
    known = select(literal(1)).where(PolicyReport.digest == bindparam("digest")).exists()
    values = select(*(bindparam(name, type_=table.c[name].type) for name in names)).where(few | known)
    statement = insert(table).from_select(names, values)
    return statement.on_conflict_do_update(
        index_elements=["digest"],
        set_={
            "count": table.c.count + statement.excluded.count,
            "last_at": func.greatest(table.c.last_at, statement.excluded.last_at),
        },
    )


def events(
    kind: str = "", *, alerts: bool = False, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> Select[*tuple[Any, ...]]:
    """Events of a kind (or of all), the newest source first; `alerts` asks for alerts only."""
    statement = select(SecurityEvent.__table__)
    if alerts:
        statement = statement.where(SecurityEvent.kind.startswith(ALERT, autoescape=True))
    if kind:
        statement = statement.where(SecurityEvent.kind == kind)
    if after is not None:
        statement = statement.where(tuple_(SecurityEvent.first_at, SecurityEvent.id) < after)
    return statement.order_by(SecurityEvent.first_at.desc(), SecurityEvent.id.desc()).limit(limit)


def hours(since: datetime) -> Select[*tuple[Any, ...]]:
    """Sums by hour and kind."""
    return select(SecurityHour.hour, SecurityHour.kind, SecurityHour.count).where(SecurityHour.hour >= since)


def reports(limit: int) -> Select[*tuple[Any, ...]]:
    """Reports about the content policy, the latest first."""
    return select(PolicyReport.__table__).order_by(PolicyReport.last_at.desc(), PolicyReport.digest).limit(limit)


def forget(before: datetime) -> tuple[Delete, ...]:
    """Throw away what is older."""
    return (
        delete(SecurityEvent).where(SecurityEvent.last_at < before),
        delete(SecurityHour).where(SecurityHour.hour < before),
        delete(PolicyReport).where(PolicyReport.last_at < before),
    )


def trim(most: int) -> Delete:
    """Keep the `most` newest events."""
    rest = select(SecurityEvent.id).order_by(SecurityEvent.first_at.desc(), SecurityEvent.id.desc()).offset(most)
    return delete(SecurityEvent).where(SecurityEvent.id.in_(rest))
