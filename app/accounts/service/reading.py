"""Reading people: one, many, how many, and what was decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.accounts import queries
from app.errors import NotFound


async def person(db: AsyncConnection, person_id: UUID) -> Any:
    """One person's row; raises NotFound."""
    row = (await db.execute(queries.PERSON_BY_ID, {"person_id": person_id})).first()
    if row is None:
        raise NotFound
    return row


@dataclass(frozen=True)
class Found:
    """A page of people and how many match; `total` counts no further than asked."""

    rows: list[Any]
    total: int


async def people(
    db: AsyncConnection,
    *,
    status: str | None = None,
    role: str | None = None,
    search: str = "",
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
    oldest_first: bool = False,
    count_to: int = 10_001,
) -> Found:
    """People, newest application first unless told otherwise, filtered, and how many match, up to `count_to`."""
    total = await db.scalar(queries.count_people(status=status, role=role, search=search, at_most=count_to)) or 0
    if not total:
        return Found([], 0)
    statement = queries.people(
        status=status,
        role=role,
        search=search,
        after=after,
        limit=limit,
        oldest_first=oldest_first,
        few=bool(search) and total <= queries.FEW,
    )
    return Found(list((await db.execute(statement)).all()), total)


async def names(db: AsyncConnection, ids: Sequence[UUID]) -> list[Any]:
    """Those of these people who exist: id, name, address, roles and status, in the order they applied."""
    return list((await db.execute(queries.names(ids))).all())


async def history(db: AsyncConnection, person_id: UUID) -> list[Any]:
    """What was decided about a person, newest first."""
    return list((await db.execute(queries.history(person_id))).all())


async def counts(db: AsyncConnection) -> dict[str, int]:
    """How many people there are in each status."""
    return {row[0]: row[1] for row in (await db.execute(queries.counts_by_status())).all()}


async def active_editors(db: AsyncConnection) -> list[Any]:
    """Editors who can be given work, by name."""
    return list((await db.execute(queries.active_with_role("editor"))).all())


async def is_active_editor(db: AsyncSession, person_id: UUID) -> bool:
    """Whether this person can be given work."""
    return await db.scalar(queries.is_active_with_role(person_id, "editor")) is not None
