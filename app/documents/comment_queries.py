"""Statements about comments; whoever asks has found the document by `visible_to` before, or asks through it here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, any_, column, func, select, table, tuple_
from sqlalchemy.orm import aliased

from app.documents.models import Comment, Document

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))


def comments(document_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> Select[*tuple[Any, ...]]:
    """What was said about a document, in the order it was said."""
    statement = (
        select(
            Comment.id,
            Comment.parent_id,
            Comment.author_id,
            _PEOPLE.c.display_name.label("author_name"),
            Comment.body,
            Comment.version,
            Comment.quote,
            Comment.place,
            Comment.mentions,
            Comment.created_at,
            Comment.resolved_at,
        )
        .join(_PEOPLE, _PEOPLE.c.id == Comment.author_id)
        .where(Comment.document_id == document_id)
        .order_by(Comment.created_at, Comment.id)
        .limit(limit)
    )
    return statement if after is None else statement.where(tuple_(Comment.created_at, Comment.id) > after)


def comment(document_id: UUID, comment_id: UUID) -> Select[*tuple[Any, ...]]:
    """One comment of this very document."""
    return comments(document_id, after=None, limit=1).where(Comment.id == comment_id)


def comment_for_update(document_id: UUID, comment_id: UUID) -> Select[Comment]:
    """A comment of this very document, locked."""
    return select(Comment).where(Comment.id == comment_id, Comment.document_id == document_id).with_for_update()


def waiting(where: ColumnElement[bool], person_id: UUID) -> Select[*tuple[Any, ...]]:
    """Documents with open comments by others, how many, and how many of them name this person; newest first."""
    first = aliased(Comment)
    newest = func.max(Comment.created_at)
    return (
        select(
            Document.id,
            Document.title,
            func.count().label("open"),
            func.count().filter(any_(Comment.mentions) == person_id).label("naming"),
        )
        .join(Comment, Comment.document_id == Document.id)
        .outerjoin(first, first.id == Comment.parent_id)
        .where(where, Comment.author_id != person_id, func.coalesce(first.resolved_at, Comment.resolved_at).is_(None))
        .group_by(Document.id, Document.title)
        .order_by(newest.desc())
        .limit(50)
    )
