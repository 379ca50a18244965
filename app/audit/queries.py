"""Statements that read the trail; built here, run by the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    true,
    tuple_,
    union_all,
)

from app.audit.models import AuditEvent

After = tuple[datetime, UUID]

# Other rooms' tables, by name: whose sessions and tokens these are is all the trail needs to know of them.
_OWNED = {
    "session": table("sessions", column("id", Uuid), column("person_id", Uuid)),
    "token_family": table("token_families", column("id", Uuid), column("person_id", Uuid)),
}
_COLUMNS = (
    AuditEvent.id,
    AuditEvent.at,
    AuditEvent.kind,
    AuditEvent.actor_id,
    AuditEvent.actor_name,
    AuditEvent.actor_via,
    AuditEvent.target_type,
    AuditEvent.target_id,
    AuditEvent.address,
    AuditEvent.request_id,
    AuditEvent.details.op("||")(func.coalesce(AuditEvent.personal, literal_column("'{}'::jsonb"))).label("details"),
)


@dataclass(frozen=True)
class Filters:
    """Which events; what is left out does not narrow.  `since` is included, `until` is not."""

    kind: str = ""
    actor_id: UUID | None = None
    target_id: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None


def events(filters: Filters, *, after: After | None, limit: int) -> Select[*tuple[Any, ...]]:
    """Events, newest first, filtered; `after` is the key of the last row of the page before."""
    return _page(select(*_COLUMNS).where(*_where(filters)), after, limit)


def _where(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.kind:
        conditions.append(_kind(filters.kind))
    if filters.actor_id:
        conditions.append(AuditEvent.actor_id == filters.actor_id)
    if filters.target_id:
        conditions.append(AuditEvent.target_id == filters.target_id)
    if filters.address:
        conditions.append(AuditEvent.address == filters.address)
    if filters.since:
        conditions.append(AuditEvent.at >= filters.since)
    if filters.until:
        conditions.append(AuditEvent.at < filters.until)
    return conditions


def _kind(kind: str) -> ColumnElement[bool]:
    """One kind ("session.opened") or a whole family of them ("session")."""
    if "." in kind.rstrip("."):
        return AuditEvent.kind == kind
    # From "session." up to "session/", the next byte: a range an index serves in every plan, as no pattern is.
    family = kind.rstrip(".")
    beginning = AuditEvent.kind.bool_op("~>=~")(f"{family}.")
    return and_(beginning, AuditEvent.kind.bool_op("~<~")(f"{family}/"))


def history(person_id: UUID, *, after: After | None, limit: int) -> Select[*tuple[Any, ...]]:
    """Events by or about a person.  Every branch reads one index backwards and stops; the branches are then merged."""
    branches = [
        _page(select(*_COLUMNS).where(AuditEvent.actor_id == person_id), after, limit),
        _page(
            select(*_COLUMNS).where(
                AuditEvent.target_type == "person",
                AuditEvent.target_id == str(person_id),
                AuditEvent.actor_id.is_distinct_from(person_id),
            ),
            after,
            limit,
        ),
    ]
    for target_type, owned in _OWNED.items():
        theirs = _page(
            select(*_COLUMNS).where(
                AuditEvent.target_type == target_type,
                AuditEvent.target_id == cast(owned.c.id, String),
                AuditEvent.actor_id.is_distinct_from(person_id),
            ),
            after,
            limit,
        ).lateral()
        branches.append(select(theirs).select_from(owned.join(theirs, true())).where(owned.c.person_id == person_id))
    merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    return select(merged).order_by(merged.c.at.desc(), merged.c.id.desc()).limit(limit)


def _page(statement: Select[*tuple[Any, ...]], after: After | None, limit: int) -> Select[*tuple[Any, ...]]:
    if after:
        statement = statement.where(tuple_(AuditEvent.at, AuditEvent.id) < after)
    return statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit)
