"""Finding texts an actor may read, the best first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from app.access import EDITOR, Actor, ScopeNeed
from app.documents.offered import entitled
from app.reader import Reader
from app.search import queries, shapes, ways, wording
from app.search.models import SHORTEST
from app.search.newest import Newest
from app.search.schemas import Found, Piece, SearchQuery
from app.search.shapes import Kind, Shape

_READS_DOCUMENTS = ScopeNeed("documents:read")


async def find(
    db: Reader, actor: Actor, asked: SearchQuery, *, start: int, limit: int, newest: Newest
) -> tuple[list[Found], bool]:
    """The best texts that hold all the words, from the `start`-th on.

    Where none does, texts with words that look like those; then the second value is True.
    """
    words, kinds = wording.words_of(asked.q), _kinds(actor, asked)
    if not words or not kinds:
        return [], False
    shape = Shape(kinds, entitled(actor), shapes.limits_of(asked), ways.RANKED // len(kinds))
    values = shapes.parameters(asked, actor.id) | {"limit": limit, "offset": start}
    async with _planned_anew(db):
        if asked.person:
            named = await queries.people_named().all(db, {"pattern": queries.pattern_of(asked.person)})
            values["people"] = [person.id for person in named]
        rows = await _search(db, shape, values | wording.as_typed(words), newest)
        similar = not rows and start == 0
        if similar:
            alike = await _alike(db, words)
            if any(alike):
                meant = [[word, *others] for word, others in zip(words, alike, strict=True)]
                few = replace(shape, ranked=ways.SIMILAR // len(kinds))
                rows = await _search(db, few, values | wording.as_meant(meant), newest)
    return [_found(row, actor) for row in rows], similar and bool(rows)


async def _search(db: Reader, shape: Shape, values: dict[str, Any], newest: Newest) -> list[Any]:
    numbers = queries.expected(await queries.estimate(shape).expected(db, values), shape.kinds)
    chosen = tuple((kind, ways.way(numbers[kind])) for kind in shape.kinds)
    texts = {kind: ways.enough(way, numbers[kind], shape.ranked) for kind, way in chosen if way != "Whole"}
    named: dict[Kind, int] = {kind: texts[kind] for kind, way in chosen if way == "Named"}
    since = await newest.since(db, shape, named, values) if named else {}
    values |= {f"{kind}_enough": number for kind, number in texts.items()}
    values |= {f"{kind}_since": date for kind, date in since.items()}
    return list(await queries.search(shape, chosen).all(db, values))


async def _alike(db: Reader, words: list[str]) -> list[list[str]]:
    """For each word, those that look like it and are not it."""
    alike: list[list[str]] = [[] for _ in words]
    # Of what is shorter half the dictionary would be alike.
    given = [place for place, word in enumerate(words) if len(word) >= SHORTEST]
    found = await queries.near_words().all(db, {"words": [words[place] for place in given]}) if given else []
    for number, near in found:
        place = given[number - 1]
        if near != words[place]:
            alike[place].append(near)
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
    if asked.where != "journal" and shapes.sees_documents(entitled(actor)) and _READS_DOCUMENTS in actor.provides:
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
