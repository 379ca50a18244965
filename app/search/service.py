"""Finding texts an actor may read, the best first."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import EDITOR, Actor, ScopeNeed
from app.search import queries, wording
from app.search.queries import Looked
from app.search.schemas import Found, Piece, SearchQuery

_READS_DOCUMENTS = ScopeNeed("documents:read")


async def find(db: AsyncSession, actor: Actor, asked: SearchQuery, *, limit: int) -> list[Found]:
    """The best `limit` texts that hold all the words; in a transaction of its own, of which the settings are changed."""
    words = wording.words_of(asked.q)
    return await _find(db, actor, asked, wording.tsquery(words), limit) if words else []


async def find_like(db: AsyncSession, actor: Actor, asked: SearchQuery, *, limit: int) -> list[Found]:
    """The same for words that may be spelt wrongly: words of titles that look like them stand for them."""
    words = wording.words_of(asked.q)
    if not words:
        return []
    await db.execute(queries.SETTINGS)
    alike = [[word, *(await db.scalars(queries.near_words(word))).all()] for word in words]
    return await _find(db, actor, asked, wording.tsquery_of_any(alike), limit)


async def _find(db: AsyncSession, actor: Actor, asked: SearchQuery, query: str, limit: int) -> list[Found]:
    await db.execute(queries.SETTINGS)
    people = (await db.scalars(queries.people_named(asked.person))).all() if asked.person else []
    found: list[Found] = []
    if asked.where != "documents" and asked.state is None:
        rows = await _rows(db, queries.in_entries(asked, people), query, limit)
        found += [_found("entry", row, f"/entry/{row.id}") for row in rows]
    if asked.where != "journal" and actor.active and _READS_DOCUMENTS in actor.provides:
        rows = await _rows(db, queries.in_documents(actor, asked, people), query, limit)
        found += [_found("document", row, _document_url(actor, row)) for row in rows]
    found.sort(key=lambda text: (-text.rank, -text.at.timestamp(), str(text.id)))
    return found[:limit]


async def _rows(db: AsyncSession, looked: Looked, query: str, limit: int) -> list[Any]:
    plan: Any = await db.scalar(queries.estimated(looked, query))
    newest = queries.window(plan[0]["Plan"]["Plan Rows"], await db.scalar(queries.how_many(looked)) or 0.0)
    since = await db.scalar(queries.beginning(looked, newest)) if newest is not None else None
    rows = (await db.execute(queries.found(looked, query, since=since, limit=limit))).all()
    if since is not None and len(rows) < min(limit, queries.RANKED):  # the words stand in old texts, mostly
        rows = (await db.execute(queries.found(looked, query, since=None, limit=limit))).all()
    return list(rows)


def _found(kind: Any, row: Any, url: str) -> Found:
    return Found(
        kind=kind,
        id=row.id,
        title=row.title,
        excerpt=wording.pieces(row.excerpt) or [Piece("")],
        url=url,
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
