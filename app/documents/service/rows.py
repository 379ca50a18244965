"""Finding a document's row for a change, and what an actor is to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import EDITOR, SPONSOR, Actor
from app.documents import queries
from app.documents.life import Part
from app.documents.models import Document
from app.errors import NotFound


def parts_of(actor: Actor, document: Any) -> list[Part]:
    """The parts the actor has in a document: its sponsor, its editor, both or none."""
    parts: list[Part] = []
    if document.sponsor_id == actor.id and SPONSOR in actor.roles:
        parts.append("sponsor")
    if document.editor_id == actor.id and EDITOR in actor.roles:
        parts.append("editor")
    return parts


async def locked(db: AsyncSession, actor: Actor, document_id: UUID) -> Document:
    """The row, locked until the transaction ends; raises NotFound for one the actor may not see."""
    row = await db.scalar(queries.document_for_update(actor, document_id))
    if row is None:
        raise NotFound
    return row


def in_words(state: str) -> str:
    """A state within a sentence."""
    return state.replace("_", " ")
