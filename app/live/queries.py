"""What a socket looks at: how a document stands, if its reader may see it, and the names of people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, column, select, table

from app.access import Actor
from app.documents.offered import Document, DocumentVersion, visible_to

_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))


def standing(actor: Actor, document_id: UUID) -> Select[*tuple[Any, ...]]:
    """State, revision and version of a document, and who saved that version; nothing for those who may not see it."""
    return (
        select(
            Document.version,
            Document.revision,
            Document.state,
            Document.updated_at,
            _PEOPLE.c.display_name.label("saved_by"),
        )
        .outerjoin(
            DocumentVersion,
            (DocumentVersion.document_id == Document.id) & (DocumentVersion.version == Document.version),
        )
        .outerjoin(_PEOPLE, _PEOPLE.c.id == DocumentVersion.saved_by)
        .where(Document.id == document_id, visible_to(actor))
    )


def names(people: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    return select(_PEOPLE.c.id, _PEOPLE.c.display_name).where(_PEOPLE.c.id.in_(people)).order_by(_PEOPLE.c.display_name)
