"""Statements about versions.  `owner` is the column that says whose they are; whoever asks has found the owner before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, column, select, table
from sqlalchemy.orm import InstrumentedAttribute, aliased

Owner = InstrumentedAttribute[UUID]

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))


def versions(owner: Owner, owner_id: UUID, *, before: int | None, limit: int) -> Select[*tuple[Any, ...]]:
    """The saves of a text, newest first, without their words."""
    kept: Any = owner.class_
    statement = (
        select(kept.version, kept.saved_at, kept.saved_by, kept.summary, _PEOPLE.c.display_name.label("saved_by_name"))
        .join(_PEOPLE, _PEOPLE.c.id == kept.saved_by)
        .where(owner == owner_id)
        .order_by(kept.version.desc())
        .limit(limit)
    )
    return statement if before is None else statement.where(kept.version < before)


def version(owner: Owner, owner_id: UUID, number: int, *more: Any) -> Select[*tuple[Any, ...]]:
    """One save with its words, the full copy they refer to, and the columns `more` of its row."""
    kept: Any = owner.class_
    base: Any = aliased(kept)
    return (
        select(
            kept.version,
            kept.title,
            kept.packed,
            base.packed.label("base_packed"),
            kept.saved_at,
            kept.saved_by,
            kept.summary,
            _PEOPLE.c.display_name.label("saved_by_name"),
            *more,
        )
        .join(_PEOPLE, _PEOPLE.c.id == kept.saved_by)
        .outerjoin(base, (getattr(base, owner.key) == owner) & (base.version == kept.base))
        .where(owner == owner_id, kept.version == number)
    )


def newest_copy(owner: Owner, owner_id: UUID) -> Select[*tuple[Any, ...]]:
    """The newest save that is kept in full."""
    kept: Any = owner.class_
    return (
        select(kept.version, kept.packed)
        .where(owner == owner_id, kept.base.is_(None), kept.packed.is_not(None))
        .order_by(kept.version.desc())
        .limit(1)
    )
