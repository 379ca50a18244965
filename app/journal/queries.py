"""Statements that read the journal; everybody may see every entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, column, func, select, table, tuple_

from app.journal.models import Entry

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))

_COLUMNS = (
    Entry.id,
    Entry.title,
    Entry.body,
    Entry.author_id,
    Entry.published_at,
    Entry.updated_at,
    Entry.version,
    Entry.document_id,
    _PEOPLE.c.display_name.label("author_name"),
)

ENTRY_BY_ID: Select[*tuple[Any, ...]] = (
    select(*_COLUMNS).join(_PEOPLE, _PEOPLE.c.id == Entry.author_id).where(Entry.id == bindparam("entry_id"))
)

# The front page needs the beginning of each text only, not half a megabyte of it.
OPENING = 1200


def entries(*, after: tuple[datetime, UUID] | None, limit: int, whole: bool) -> Select[*tuple[Any, ...]]:
    """Entries, newest first; `whole` brings their bodies in full, otherwise the first characters."""
    body = Entry.body if whole else func.left(Entry.body, OPENING).label("body")
    statement = (
        select(
            Entry.id,
            Entry.title,
            body,
            Entry.author_id,
            Entry.published_at,
            Entry.updated_at,
            Entry.version,
            Entry.document_id,
            _PEOPLE.c.display_name.label("author_name"),
        )
        .join(_PEOPLE, _PEOPLE.c.id == Entry.author_id)
        .order_by(Entry.published_at.desc(), Entry.id.desc())
        .limit(limit)
    )
    return statement if after is None else statement.where(tuple_(Entry.published_at, Entry.id) < after)


def count() -> Select[int]:
    return select(func.count()).select_from(Entry)
