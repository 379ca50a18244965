"""Statements that find texts.  Who may see which document is decided by the documents' own `visible_to`.

Only the newest `RANKED` matches are ranked.  Where more than that are to be expected (`estimated` asks PostgreSQL's own
statistics), the words' index is met with the dates' index over the newest texts only, of which there are just enough
(`window`): naming matches is cheap, opening the texts they are in is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Float,
    Select,
    Text,
    Uuid,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from app.access import Actor
from app.documents.offered import Document, visible_to
from app.journal.offered import Entry
from app.search.models import SearchWord
from app.search.schemas import SearchQuery
from app.search.wording import START, STOP
from app.web.tags import wanted

RANKED: Final = 200
"""Matches that are ranked, the newest; beyond that more words are a better help than more pages."""
_MANY: Final = 4 * RANKED
_AMPLE: Final = 2
"""How many times as many matches as are ranked a window should hold; what stands in old texts mostly is found without."""
PEOPLE: Final = 50
"""People a part of a name may stand for."""
_NEAR: Final = 8
"""Words that may stand for one that was spelt wrongly."""
_SHOWN: Final = 6_000  # characters of a text that an excerpt is looked for in
_HEADLINE: Final = f"StartSel={START},StopSel={STOP},MaxFragments=2,MaxWords=24,MinWords=8,FragmentDelimiter= … "
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))
_TABLES = table("pg_class", column("oid"), column("reltuples", Float()))
_SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")

# The planner believes that opening a long text costs nothing; nobody reads all texts from one end to the other here.
SETTINGS = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('statement_timeout', '2s', true), "
    "set_config('pg_trgm.similarity_threshold', '0.3', true)"
)


@dataclass(frozen=True)
class Looked:
    """Where is looked, and what a text must be besides holding the words."""

    model: Any
    person: Any
    at: Any
    state: Any
    where: tuple[ColumnElement[bool], ...]


def in_entries(asked: SearchQuery, people: Sequence[UUID]) -> Looked:
    """Published entries; `people` are those the part of a name in `asked` may mean."""
    where = [Entry.withdrawn_at.is_(None), *_narrowed(asked, Entry, Entry.published_at)]
    if asked.person:
        where.append(Entry.author_id.in_(people))
    return Looked(Entry, Entry.author_id, Entry.published_at, null(), tuple(where))


def in_documents(actor: Actor, asked: SearchQuery, people: Sequence[UUID]) -> Looked:
    """Documents the actor may see."""
    where = [visible_to(actor), *_narrowed(asked, Document, Document.updated_at)]
    if asked.state is not None:
        where.append(Document.state == asked.state)
    if asked.person:
        theirs = Document.sponsor_id.in_(people) & Document.editor_id.is_(None)
        where.append(or_(Document.editor_id.in_(people), theirs))
    person = func.coalesce(Document.editor_id, Document.sponsor_id)
    return Looked(Document, person, Document.updated_at, Document.state, tuple(where))


def people_named(part: str) -> Select[UUID]:
    """People with this in their names."""
    pattern = "%" + part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    return select(_PEOPLE.c.id).where(_PEOPLE.c.display_name.ilike(pattern)).limit(PEOPLE)


def estimated(looked: Looked, words: str) -> Explained:
    """Asks the planner how many texts match."""
    return Explained(select(looked.model.id).where(_matches(looked, words), *looked.where))


def how_many(looked: Looked) -> Select[float]:
    """About how many texts of this kind there are."""
    return select(_TABLES.c.reltuples).where(_TABLES.c.oid == func.to_regclass(looked.model.__tablename__))


def window(matching: float, of: float) -> int | None:
    """Among how many of the newest texts enough matches are to be expected; None when all matches can be looked at."""
    return ceil(_AMPLE * RANKED * of / matching) if matching > _MANY else None


def beginning(looked: Looked, newest: int) -> Select[datetime]:
    """The date of the last of so many newest texts."""
    return select(looked.at).order_by(looked.at.desc()).offset(newest).limit(1)


def found(looked: Looked, words: str, *, since: datetime | None, limit: int) -> Select[*tuple[Any, ...]]:
    """The best `limit` of the newest texts that hold the words."""
    model, query = looked.model, func.to_tsquery(_SIMPLE, words)
    rows = select(model.id, looked.at.label("at"), looked.person.label("person_id"))
    rows = rows.where(_matches(looked, words), *looked.where, *([looked.at >= since] if since else []))
    # Apart from the rest, so that the words are looked up in their index and nobody walks through all texts by date.
    named = rows.cte("named").prefix_with("MATERIALIZED")
    newest = select(named).order_by(named.c.at.desc()).limit(RANKED).subquery("newest")
    rank = func.ts_rank_cd(model.search, query, 1).label("rank")
    ranked = select(newest, rank).join(model, model.id == newest.c.id).subquery("ranked")
    best = select(ranked).order_by(ranked.c.rank.desc(), ranked.c.at.desc(), ranked.c.id).limit(limit).subquery("best")
    return (
        select(
            best.c.id,
            model.title,
            func.ts_headline(_SIMPLE, func.left(model.body, _SHOWN), query, _HEADLINE).label("excerpt"),
            best.c.person_id,
            _PEOPLE.c.display_name.label("person_name"),
            looked.state.label("state"),
            best.c.at,
            best.c.rank,
        )
        .join(model, model.id == best.c.id)
        .join(_PEOPLE, _PEOPLE.c.id == best.c.person_id)
        .order_by(best.c.rank.desc(), best.c.at.desc(), best.c.id)
    )


def near_words(word: str) -> Select[str]:
    """Words of titles that look like this one, the most alike first."""
    return (
        select(SearchWord.word)
        .where(SearchWord.word.op("%", is_comparison=True)(word))
        .order_by(func.similarity(SearchWord.word, word).desc(), SearchWord.word)
        .limit(_NEAR)
    )


def _matches(looked: Looked, words: str) -> ColumnElement[bool]:
    matching: ColumnElement[bool] = looked.model.search.op("@@", is_comparison=True)(func.to_tsquery(_SIMPLE, words))
    return matching


def _narrowed(asked: SearchQuery, model: Any, at: Any) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    if asked.since is not None:
        limits.append(at >= _midnight(asked.since))
    if asked.until is not None:
        limits.append(at < _midnight(asked.until) + timedelta(days=1))
    if asked.tag:
        limits.append(model.tags.contains([wanted(asked.tag)]))
    return limits


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


class Explained(Executable, ClauseElement):
    """A statement that is planned and not run; answers the plan as JSON."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(Explained)
def _explain(element: Explained, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"
