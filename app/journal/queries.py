"""Statements about the journal: everybody may see every entry that is not withdrawn, authors change their own."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    Update,
    Uuid,
    bindparam,
    column,
    false,
    func,
    select,
    table,
    tuple_,
    update,
)

from app.access import Actor
from app.journal.models import Entry
from app.journal.schemas import Chosen, NewEntry
from app.prepared import Prepared

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
    Entry.withdrawn_at,
    Entry.tags,
    _PEOPLE.c.display_name.label("author_name"),
)

ENTRY_BY_ID: Select[*tuple[Any, ...]] = (
    select(*_COLUMNS).join(_PEOPLE, _PEOPLE.c.id == Entry.author_id).where(Entry.id == bindparam("entry_id"))
)

# The front page needs the beginning of each text only, not half a megabyte of it.
OPENING = 1200


def newest(limit: int, *, whole: bool) -> tuple[Prepared, dict[str, int]]:
    """The last published, for whoever chose nothing else: the statement, and its parameters."""
    return _newest(whole), {"most": limit, "opening": OPENING}


@cache
def _newest(whole: bool) -> Prepared:
    """Built once: this is what the front page and most programs ask for."""
    most: BindParameter[int] = bindparam("most", type_=Integer())
    opening: BindParameter[int] = bindparam("opening", type_=Integer())
    return Prepared(entries(after=None, limit=most, whole=whole, chosen=Chosen(), opening=opening))


def entries(
    *,
    after: tuple[datetime, UUID] | None,
    limit: int | BindParameter[int],
    whole: bool,
    chosen: Chosen,
    opening: int | BindParameter[int] = OPENING,
) -> Select[*tuple[Any, ...]]:
    """Entries in the order asked for; `whole` brings their bodies in full, otherwise the first characters."""
    body = Entry.body if whole else func.left(Entry.body, opening).label("body")
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
            Entry.tags,
            _PEOPLE.c.display_name.label("author_name"),
        )
        .join(_PEOPLE, _PEOPLE.c.id == Entry.author_id)
        .where(Entry.withdrawn_at.is_(None), *_chosen(chosen))
        .limit(limit)
    )
    key = tuple_(Entry.published_at, Entry.id)
    if chosen.order == "oldest":
        statement = statement.order_by(Entry.published_at, Entry.id)
        return statement if after is None else statement.where(key > after)
    statement = statement.order_by(Entry.published_at.desc(), Entry.id.desc())
    return statement if after is None else statement.where(key < after)


def _chosen(chosen: Chosen) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if chosen.ids:
        wanted.append(Entry.id.in_(chosen.ids))
    if chosen.author_id is not None:
        wanted.append(Entry.author_id == chosen.author_id)
    if chosen.published_from is not None:
        wanted.append(Entry.published_at >= chosen.published_from)
    if chosen.published_before is not None:
        wanted.append(Entry.published_at < chosen.published_before)
    if chosen.tag:
        wanted.append(Entry.tags.contains([chosen.tag]))
    return wanted


def written_by(actor: Actor) -> ColumnElement[bool]:
    """The entries this actor may change: those they wrote."""
    return Entry.author_id == actor.id if actor.active and actor.id is not None else false()


def own(actor: Actor, entry_id: UUID) -> Select[*tuple[Any, ...]]:
    """One of the actor's entries, withdrawn or not."""
    return (
        select(*_COLUMNS).join(_PEOPLE, _PEOPLE.c.id == Entry.author_id).where(Entry.id == entry_id, written_by(actor))
    )


def own_for_update(actor: Actor, entry_id: UUID) -> Select[Entry]:
    """The row of one of the actor's entries, locked."""
    return select(Entry).where(Entry.id == entry_id, written_by(actor)).with_for_update()


def own_entries(actor: Actor, *, after: tuple[datetime, UUID] | None, limit: int) -> Select[*tuple[Any, ...]]:
    """The actor's entries without their texts, the last published first, withdrawn ones among them."""
    statement = (
        select(Entry.id, Entry.title, Entry.published_at, Entry.updated_at, Entry.withdrawn_at, Entry.document_id)
        .where(written_by(actor))
        .order_by(Entry.published_at.desc(), Entry.id.desc())
        .limit(limit)
    )
    return statement if after is None else statement.where(tuple_(Entry.published_at, Entry.id) < after)


def withdraw(entry_id: UUID, moment: datetime) -> Update:
    return update(Entry).where(Entry.id == entry_id).values(withdrawn_at=moment, version=Entry.version + 1)


def publish_again(entry_id: UUID, new: NewEntry, author_id: UUID, moment: datetime) -> Update:
    return (
        update(Entry)
        .where(Entry.id == entry_id)
        .values(
            title=new.title,
            body=new.body,
            tags=new.tags,
            author_id=author_id,
            updated_at=moment,
            withdrawn_at=None,
            version=Entry.version + 1,
        )
    )


def count() -> Select[int]:
    return select(func.count()).select_from(Entry).where(Entry.withdrawn_at.is_(None))


def tags(limit: int) -> Select[*tuple[Any, ...]]:
    """The tags that most entries have, and how many."""
    each = select(func.unnest(Entry.tags).label("tag")).where(Entry.withdrawn_at.is_(None)).subquery()
    number = func.count().label("entries")
    return select(each.c.tag, number).group_by(each.c.tag).order_by(number.desc(), each.c.tag).limit(limit)


def months() -> Select[*tuple[Any, ...]]:
    """How many entries each month has (UTC), the newest month first."""
    month = func.date_trunc("month", Entry.published_at, "UTC").label("month")
    return (
        select(month, func.count().label("entries"))
        .where(Entry.withdrawn_at.is_(None))
        .group_by(month)
        .order_by(month.desc())
    )
