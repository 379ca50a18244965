"""Statements that find texts.  Who may see which document is decided by the documents' own `visible_to`.

Words that stand in few texts are looked up in their index, all of them.  Words that stand in many are looked for in the
texts themselves, from the newest on, until enough are found: which of the two is the shorter way is known from
PostgreSQL's own statistics (`estimated`, `Way`), and either way only the newest `RANKED` matches are ranked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Text,
    Uuid,
    column,
    func,
    literal_column,
    null,
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
_OPENED: Final = 20_000
"""Texts that are opened to look for common words in them: a bound for words that only old texts hold."""
_DEARER: Final = 4
"""How much dearer it is to open a text and look for words than to have it named by the index (measured)."""
_NEAR: Final = 8
"""Words that may stand for one that was spelt wrongly."""
_SHOWN: Final = 6_000  # characters of a text that an excerpt is looked for in
_HEADLINE: Final = f"StartSel={START},StopSel={STOP},MaxFragments=2,MaxWords=24,MinWords=8,FragmentDelimiter= … "
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))
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


def in_entries(asked: SearchQuery) -> Looked:
    """Published entries."""
    where = (Entry.withdrawn_at.is_(None), *_narrowed(asked, Entry, Entry.author_id, Entry.published_at))
    return Looked(Entry, Entry.author_id, Entry.published_at, null(), where)


def in_documents(actor: Actor, asked: SearchQuery) -> Looked:
    """Documents the actor may see."""
    person = func.coalesce(Document.editor_id, Document.sponsor_id)
    where = [visible_to(actor), *_narrowed(asked, Document, person, Document.updated_at)]
    if asked.state is not None:
        where.append(Document.state == asked.state)
    return Looked(Document, person, Document.updated_at, Document.state, tuple(where))


def estimated(looked: Looked, words: str) -> Explained:
    """Asks the planner in how many texts of this kind the words stand, whoever may see them."""
    return Explained(select(looked.model.id).where(_matches(looked.model.search, words)))


def how_many(looked: Looked) -> Select[float]:
    """About how many texts of this kind there are."""
    name = looked.model.__tablename__
    return select(literal_column("reltuples")).select_from(text("pg_class")).where(text(f"oid = '{name}'::regclass"))


def are_common(matching: float, of: float) -> bool:
    """Whether opening texts from the newest on finds enough of them sooner than the index names all that match.

    The index names `matching` texts; of opened ones, every `of / matching`-th is one of the `RANKED` that are wanted.
    """
    return matching > RANKED and matching * matching > _DEARER * RANKED * of


def found(looked: Looked, words: str, *, common: bool, limit: int) -> Select[*tuple[Any, ...]]:
    """The best `limit` texts that hold the words."""
    model, query = looked.model, func.to_tsquery(_SIMPLE, words)
    rows = select(model.id, looked.at.label("at"), looked.person.label("person_id"))
    if common:
        opened = rows.add_columns(model.search).where(*looked.where).order_by(looked.at.desc()).limit(_OPENED)
        newest = opened.subquery("opened")
        hits = (
            select(newest.c.id, newest.c.at, newest.c.person_id)
            .where(_matches(newest.c.search, words))
            .order_by(newest.c.at.desc())
            .limit(RANKED)
        ).subquery("hits")
    else:
        named = rows.where(_matches(model.search, words), *looked.where).cte("named").prefix_with("MATERIALIZED")
        hits = select(named).order_by(named.c.at.desc()).limit(RANKED).subquery("hits")
    rank = func.ts_rank_cd(model.search, query, 1).label("rank")
    ranked = select(hits, rank).join(model, model.id == hits.c.id).subquery("ranked")
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


def _matches(search: Any, words: str) -> ColumnElement[bool]:
    matching: ColumnElement[bool] = search.op("@@", is_comparison=True)(func.to_tsquery(_SIMPLE, words))
    return matching


def _narrowed(asked: SearchQuery, model: Any, person: Any, at: Any) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    if asked.since is not None:
        limits.append(at >= _midnight(asked.since))
    if asked.until is not None:
        limits.append(at < _midnight(asked.until) + timedelta(days=1))
    if asked.tag:
        limits.append(model.tags.contains([wanted(asked.tag)]))
    if asked.person:
        pattern = "%" + asked.person.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        limits.append(person.in_(select(_PEOPLE.c.id).where(_PEOPLE.c.display_name.ilike(pattern))))
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
