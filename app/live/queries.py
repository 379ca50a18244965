"""What a socket looks at: how a document stands, if its reader may see it, and the names of people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, column, func, select, table, true

from app.access import Actor
from app.documents.offered import Comment, Document, DocumentVersion, visible_to

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))


def standing(actor: Actor, document_id: UUID) -> Select[*tuple[Any, ...]]:
    """State, revision and version of a document, who saved that version, and how far the talk about it has come.

    Nothing for those who may not see it.
    """
    talk = (
        select(
            func.count().label("said"),
            func.count(Comment.resolved_at).label("settled"),
            func.max(func.greatest(Comment.created_at, Comment.resolved_at)).label("spoken_at"),
        )
        .where(Comment.document_id == Document.id)
        .lateral("talk")
    )
    return (
        select(
            Document.version,
            Document.revision,
            Document.state,
            Document.updated_at,
            _PEOPLE.c.display_name.label("saved_by"),
            talk.c.said,
            talk.c.settled,
            talk.c.spoken_at,
        )
        .select_from(Document)
        .join(talk, true())
        .outerjoin(
            DocumentVersion,
            (DocumentVersion.document_id == Document.id) & (DocumentVersion.version == Document.version),
        )
        .outerjoin(_PEOPLE, _PEOPLE.c.id == DocumentVersion.saved_by)
        .where(Document.id == document_id, visible_to(actor))
    )


def last_voice(document_id: UUID) -> Select[str]:
    """The name of whoever commented last."""
    return (
        select(_PEOPLE.c.display_name)
        .join(Comment, Comment.author_id == _PEOPLE.c.id)
        .where(Comment.document_id == document_id)
        .order_by(Comment.created_at.desc(), Comment.id.desc())
        .limit(1)
    )


def names(people: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    return select(_PEOPLE.c.id, _PEOPLE.c.display_name).where(_PEOPLE.c.id.in_(people)).order_by(_PEOPLE.c.display_name)
