"""Statements that find texts.  Who may see which document is decided by the documents' own `visible_to`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Text,
    Uuid,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    table,
    text,
)

from app.access import Actor
from app.documents.offered import Document, visible_to
from app.journal.offered import Entry
from app.search.schemas import SearchQuery
from app.search.wording import START, STOP
from app.web.tags import wanted

CANDIDATES: Final = 10_000
"""Texts that are looked at when words occur nearly everywhere."""
RANKED: Final = 1_000
"""Matches that are ranked, the newest; beyond that more words are a better help than more pages."""
_SHOWN: Final = 6_000  # characters of a text that an excerpt is looked for in
_HEADLINE: Final = f"StartSel={START},StopSel={STOP},MaxFragments=2,MaxWords=24,MinWords=8,FragmentDelimiter= … "
_LIKE: Final = 0.4
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))
_SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")

SIMILARITY = text(f"SELECT set_config('pg_trgm.word_similarity_threshold', '{_LIKE}', true)")


def entries(asked: SearchQuery, words: str, *, like: bool, limit: int) -> Select[*tuple[Any, ...]]:
    """Published entries that hold the words, or whose titles look like them."""
    return _found(
        Entry,
        person=Entry.author_id,
        at=Entry.published_at,
        state=null(),
        where=[Entry.withdrawn_at.is_(None)],
        asked=asked,
        words=words,
        like=like,
        limit=limit,
    )


def documents(actor: Actor, asked: SearchQuery, words: str, *, like: bool, limit: int) -> Select[*tuple[Any, ...]]:
    """Documents the actor may see that hold the words, or whose titles look like them."""
    where = [visible_to(actor)]
    if asked.state is not None:
        where.append(Document.state == asked.state)
    return _found(
        Document,
        person=func.coalesce(Document.editor_id, Document.sponsor_id),
        at=Document.updated_at,
        state=Document.state,
        where=where,
        asked=asked,
        words=words,
        like=like,
        limit=limit,
    )


def _found(
    model: Any,
    *,
    person: ColumnElement[Any] | Any,
    at: Any,
    state: Any,
    where: list[ColumnElement[bool]],
    asked: SearchQuery,
    words: str,
    like: bool,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    query = func.to_tsquery(_SIMPLE, words)
    if like:
        matches = literal(asked.q, String()).op("<%", is_comparison=True)(model.title)
        rank: ColumnElement[Any] = func.word_similarity(asked.q, model.title)
    else:
        matches = model.search.op("@@", is_comparison=True)(query)
        rank = func.ts_rank_cd(model.search, query, 1)
    hits = (
        select(model.id, at.label("at"), person.label("person_id"))
        .where(matches, *where, *_between(at, asked.since, asked.until))
        .limit(CANDIDATES)
    )
    if asked.tag:
        hits = hits.where(model.tags.contains([wanted(asked.tag)]))
    if asked.person:
        pattern = "%" + asked.person.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        hits = hits.join(_PEOPLE, _PEOPLE.c.id == person).where(_PEOPLE.c.display_name.ilike(pattern))
    # Apart from the rest, so that the words are looked up in their index and nobody walks through all texts by date.
    found = hits.cte("hits").prefix_with("MATERIALIZED")
    newest = select(found).order_by(found.c.at.desc()).limit(RANKED).subquery("newest")
    ranked = select(newest, rank.label("rank")).join(model, model.id == newest.c.id).subquery("ranked")
    best = select(ranked).order_by(ranked.c.rank.desc(), ranked.c.at.desc(), ranked.c.id).limit(limit).subquery("best")
    excerpt = (
        func.left(model.body, 300)
        if like
        else func.ts_headline(_SIMPLE, func.left(model.body, _SHOWN), query, _HEADLINE)
    )
    return (
        select(
            best.c.id,
            model.title,
            excerpt.label("excerpt"),
            best.c.person_id,
            _PEOPLE.c.display_name.label("person_name"),
            state.label("state"),
            best.c.at,
            best.c.rank,
        )
        .join(model, model.id == best.c.id)
        .join(_PEOPLE, _PEOPLE.c.id == best.c.person_id)
        .order_by(best.c.rank.desc(), best.c.at.desc(), best.c.id)
    )


def _between(at: Any, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    if since is not None:
        limits.append(at >= datetime.combine(since, time(), UTC))
    if until is not None:
        limits.append(at < datetime.combine(until, time(), UTC) + timedelta(days=1))
    return limits
