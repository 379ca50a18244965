"""What of a search decides over its statements, and where it looks.

Who may see which document is decided by the documents' own `seen_with`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, DateTime, Select, Text, Uuid, bindparam, func, literal_column, select
from sqlalchemy.sql.elements import False_

from app.documents.offered import Document, seen_with
from app.journal.offered import Entry
from app.search.parts import query
from app.search.schemas import SearchQuery
from app.web.tags import wanted

Kind = Literal["entry", "document"]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """What of a search decides over its statements; everything else is a parameter of them.

    `roles` are those by which documents are seen, `limits` what narrows the search down; of each kind so many matches are
    `ranked`, the newest.
    """

    kinds: tuple[Kind, ...]
    roles: frozenset[str]
    limits: frozenset[str]
    ranked: int


@dataclass(frozen=True)
class Looked:
    """Where is looked, and what a text must be besides holding the words."""

    model: Any
    person: Any
    at: Any
    state: Any
    dates: tuple[ColumnElement[bool], ...]
    where: tuple[ColumnElement[bool], ...]

    @property
    def named(self) -> Select[*tuple[Any, ...]]:
        """Every text there is to look at."""
        model, state = self.model, self.state.label("state")
        return select(model.id, self.at.label("at"), self.person.label("person_id"), state).where(
            *self.dates, *self.where
        )

    def matching(self, words: str = "words") -> ColumnElement[bool]:
        """Whether it holds the words of this parameter, by their index."""
        found: ColumnElement[bool] = self.model.search.op("@@", is_comparison=True)(query(words))
        return found


def limits_of(asked: SearchQuery) -> frozenset[str]:
    """What narrows this search down."""
    return frozenset(name for name in ("state", "person", "tag", "since", "until") if getattr(asked, name))


def sees_documents(roles: frozenset[str]) -> bool:
    """Whether anybody with these roles may know of documents at all."""
    return not isinstance(seen_with(roles, None), False_)


def parameters(asked: SearchQuery, viewer: UUID | None) -> dict[str, Any]:
    """What narrows this search down, but for the people whom a part of a name stands for; raises Invalid."""
    return {
        "viewer": viewer,
        "state": asked.state,
        "tags": [wanted(asked.tag)] if asked.tag else [],
        "since": _midnight(asked.since) if asked.since else None,
        "until": _end(asked.until) if asked.until else None,
    }


def looked_at(kind: Kind, shape: Shape) -> Looked:
    """Where texts of a kind are looked for."""
    if kind == "entry":
        dates, where = _narrowed(shape, Entry, Entry.published_at)
        where.append(Entry.withdrawn_at.is_(None))
        if "person" in shape.limits:
            where.append(Entry.author_id == func.any(_people()))
        nothing = literal_column("NULL::text", Text())
        return Looked(Entry, Entry.author_id, Entry.published_at, nothing, tuple(dates), tuple(where))
    dates, where = _narrowed(shape, Document, Document.updated_at)
    where.append(seen_with(shape.roles, bindparam("viewer", type_=Uuid())))
    if "state" in shape.limits:
        where.append(Document.state == bindparam("state", type_=Text()))
    person = func.coalesce(Document.editor_id, Document.sponsor_id)
    if "person" in shape.limits:
        where.append(person == func.any(_people()))
    return Looked(Document, person, Document.updated_at, Document.state, tuple(dates), tuple(where))


def _narrowed(shape: Shape, model: Any, at: Any) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    moment = DateTime(timezone=True)
    dates = []
    if "since" in shape.limits:
        dates.append(at >= bindparam("since", type_=moment))
    if "until" in shape.limits:
        dates.append(at <= bindparam("until", type_=moment))
    tagged = [model.tags.contains(bindparam("tags", type_=ARRAY(Text())))] if "tag" in shape.limits else []
    return dates, tagged


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _end(day: date) -> datetime:
    """The last moment of a day, to the microsecond, as PostgreSQL counts; the calendar's last day has no next one."""
    return datetime.combine(day, time.max, UTC)


def _people() -> ColumnElement[Any]:
    return bindparam("people", type_=ARRAY(Uuid()))
