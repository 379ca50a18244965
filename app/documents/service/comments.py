"""Talking about a document: comments on it and on passages, replies, and settling them.  Callers own the transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import service as audit
from app.documents import comment_queries, queries
from app.documents.life import Part
from app.documents.models import Comment
from app.documents.schemas import CommentView, DocumentView, NewComment
from app.documents.service.reading import After, document
from app.documents.talk import MOST_COMMENTS
from app.errors import Invalid, NotFound
from app.ids import new_id, now


async def comments(
    db: AsyncConnection | AsyncSession,
    actor: Actor,
    document_id: UUID,
    *,
    after: After = None,
    limit: int = MOST_COMMENTS,
) -> list[CommentView]:
    """What was said about a document the actor may see, in the order it was said; passages are looked for anew."""
    about = await document(db, actor, document_id)
    rows = (await db.execute(comment_queries.comments(document_id, after=after, limit=limit))).all()
    return [_view(row, about.body) for row in rows]


async def one_comment(db: AsyncSession, actor: Actor, document_id: UUID, comment_id: UUID) -> CommentView:
    """One comment on a document the actor may see; raises NotFound."""
    about = await document(db, actor, document_id)
    row = (await db.execute(comment_queries.comment(document_id, comment_id))).first()
    if row is None:
        raise NotFound
    return _view(row, about.body)


async def comment(db: AsyncSession, actor: Actor, document_id: UUID, new: NewComment) -> UUID:
    """Say something about a document the actor may see; raises Invalid for a passage or a comment that is not there."""
    about = await document(db, actor, document_id)
    if new.quote and find(about.body, new.quote, new.place) is None:
        raise Invalid({"quote": ["This passage does not stand in the text."]})
    if new.parent_id is not None:
        parent = await db.scalar(comment_queries.comment_for_update(document_id, new.parent_id))
        if parent is None or parent.parent_id is not None:
            raise Invalid({"parent_id": ["There is no such comment to reply to."]})
    comment_id = new_id()
    made = Comment(
        id=comment_id,
        document_id=document_id,
        parent_id=new.parent_id,
        author_id=actor.person_id(),
        body=new.body,
        version=about.version,
        quote=new.quote,
        place=new.place,
        mentions=named_in(new.body, about),
        created_at=now(),
    )
    db.add(made)
    await db.flush()
    await audit.record(db, actor, "document.commented", ("document", document_id), {"comment": str(comment_id)})
    return comment_id


async def settle(db: AsyncSession, actor: Actor, document_id: UUID, comment_id: UUID, *, resolved: bool) -> None:
    """Resolve what was said, or open it again; replies go with what they reply to.  Raises NotFound."""
    await document(db, actor, document_id)
    found = await db.scalar(comment_queries.comment_for_update(document_id, comment_id))
    if found is None or found.parent_id is not None:
        raise NotFound
    moment: datetime | None = now() if resolved else None
    found.resolved_at, found.resolved_by = moment, actor.person_id() if resolved else None
    await db.flush()
    kind = "document.comment_resolved" if resolved else "document.comment_reopened"
    await audit.record(db, actor, kind, ("document", document_id), {"comment": str(comment_id)})


async def waiting(db: AsyncConnection, actor: Actor, *, part: Part) -> list[Any]:
    """Documents in which others wait for the actor to answer: id, title, how many comments, how many name them."""
    return list((await db.execute(comment_queries.waiting(queries.in_part(actor, part), actor.person_id()))).all())


def find(text: str, quote: str, place: int | None) -> int | None:
    """Where the passage stands in the text now: the place nearest to where it was, or None."""
    wanted, best, at = place or 0, None, text.find(quote)
    while at >= 0:
        if best is None or abs(at - wanted) < abs(best - wanted):
            best = at
        if at > wanted:
            break
        at = text.find(quote, at + 1)
    return best


def named_in(text: str, about: DocumentView) -> list[UUID]:
    """Those of the people of the document whom `@name` in the text speaks to."""
    people = [(about.sponsor_id, about.sponsor_name), (about.editor_id, about.editor_name)]
    return [person for person, name in people if person and name and f"@{name}".casefold() in text.casefold()]


def _view(row: Any, text: str) -> CommentView:
    return CommentView(
        id=row.id,
        parent_id=row.parent_id,
        author_id=row.author_id,
        author_name=row.author_name,
        body=row.body,
        version=row.version,
        quote=row.quote,
        place=find(text, row.quote, row.place) if row.quote else None,
        mentions=row.mentions,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
    )
