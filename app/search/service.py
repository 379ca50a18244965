"""Finding texts an actor may read, the best first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.access import EDITOR, Actor, ScopeNeed
from app.documents.offered import entitled
from app.reader import Reader
from app.search import queries, wording
from app.search.queries import Kind, Shape
from app.search.schemas import Found, Piece, SearchQuery

_READS_DOCUMENTS = ScopeNeed("documents:read")


async def find(db: Reader, actor: Actor, asked: SearchQuery, *, start: int, limit: int) -> tuple[list[Found], bool]:
    """The best texts that hold all the words, from the `start`-th on.

    Where none does, texts with words of titles that look like those; then the second value is True.
    """
    words, kinds = wording.words_of(asked.q), _kinds(actor, asked)
    if not words or not kinds:
        return [], False
    shape = Shape(kinds, entitled(actor), queries.limits_of(asked))
    values = queries.parameters(asked, actor.id) | {"limit": limit, "offset": start}
    async with _planned_anew(db):
        if asked.person:
            named = await queries.people_named().all(db, {"pattern": queries.pattern_of(asked.person)})
            values["people"] = [person.id for person in named]
        rows = await _search(
            db, shape, values | {"words": wording.tsquery(words), "whole": wording.tsquery_of_whole(words)}
        )
        similar = not rows and start == 0
        if similar:
            alike = await _alike(db, words)
            if any(alike):
                meant = wording.tsquery_of_any([[word, *others] for word, others in zip(words, alike, strict=True)])
                rows = await _search(db, shape, values | {"words": meant, "whole": meant})
    return [_found(row, actor) for row in rows], similar and bool(rows)


async def _search(db: Reader, shape: Shape, values: dict[str, Any]) -> list[Any]:
    numbers = queries.expected(await queries.estimate(shape).expected(db, values), shape.kinds)
    ways = tuple((kind, queries.way(*numbers[kind])) for kind in shape.kinds)
    texts = {f"{kind}_enough": 0 if way == "Whole" else queries.enough(*numbers[kind]) for kind, way in ways}
    since: Any = await queries.beginnings(shape).first(db, values | texts) if any(texts.values()) else None
    values |= {
        f"{kind}_since": (getattr(since, kind) if texts[f"{kind}_enough"] else None) or queries.BEFORE_ALL
        for kind in shape.kinds
    }
    return list(await queries.search(shape, ways).all(db, values))


async def _alike(db: Reader, words: list[str]) -> list[list[str]]:
    """For each word, those of titles that look like it and are not it."""
    alike: list[list[str]] = [[] for _ in words]
    for number, near in await queries.near_words().all(db, {"words": words}):
        if near != words[number - 1]:
            alike[number - 1].append(near)
    return alike


@asynccontextmanager
async def _planned_anew(db: Reader) -> AsyncIterator[None]:
    """A transaction in which statements are planned for their values; whoever raises in it closes the connection."""
    await db.driver.execute(queries.BEGIN)
    yield
    await db.driver.execute("COMMIT")


def _kinds(actor: Actor, asked: SearchQuery) -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    if asked.where != "documents" and asked.state is None:
        kinds.append("entry")
    if asked.where != "journal" and queries.sees_documents(entitled(actor)) and _READS_DOCUMENTS in actor.provides:
        kinds.append("document")
    return tuple(kinds)


def _found(row: Any, actor: Actor) -> Found:
    return Found(
        kind=row.kind,
        id=row.id,
        title=row.title,
        excerpt=wording.pieces(row.excerpt) or [Piece("")],
        url=f"/entry/{row.id}" if row.kind == "entry" else _document_url(actor, row),
        person_id=row.person_id,
        person_name=row.person_name,
        state=row.state,
        at=row.at,
        rank=round(float(row.rank), 6),
    )


def _document_url(actor: Actor, row: Any) -> str:
    """The page on which the actor works on it; administrators read it by program."""
    part = "editor" if row.person_id == actor.id and EDITOR in actor.roles else "sponsor"
    return f"/{part}/documents/{row.id}"
