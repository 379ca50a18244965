"""Finding texts an actor may read, the best first."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import EDITOR, Actor, ScopeNeed
from app.search import queries, wording
from app.search.schemas import Found, Piece, SearchQuery

_READS_DOCUMENTS = ScopeNeed("documents:read")


async def find(
    db: AsyncConnection | AsyncSession, actor: Actor, asked: SearchQuery, *, limit: int, like: bool = False
) -> list[Found]:
    """The best `limit` texts that hold all the words; with `like`, those whose titles look like what was typed."""
    words = wording.words_of(asked.q)
    if not words:
        return []
    query = wording.tsquery(words)
    found: list[Found] = []
    if asked.where != "documents" and asked.state is None:
        rows = (await db.execute(queries.entries(asked, query, like=like, limit=limit))).all()
        found += [_found("entry", row, f"/entry/{row.id}") for row in rows]
    if asked.where != "journal" and actor.active and _READS_DOCUMENTS in actor.provides:
        rows = (await db.execute(queries.documents(actor, asked, query, like=like, limit=limit))).all()
        found += [_found("document", row, _document_url(actor, row)) for row in rows]
    found.sort(key=lambda text: (-text.rank, -text.at.timestamp(), str(text.id)))
    return found[:limit]


async def find_like(db: AsyncSession, actor: Actor, asked: SearchQuery, *, limit: int) -> list[Found]:
    """Texts whose titles look like what was typed, wrongly spelt as it may be; in a transaction of its own."""
    await db.execute(queries.SIMILARITY)
    return await find(db, actor, asked, limit=limit, like=True)


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
