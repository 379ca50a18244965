"""What the pages of one document share: it is there for those who have that part in it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.documents import service
from app.documents.life import Part
from app.documents.schemas import DocumentView
from app.errors import NotFound
from app.web.context import current_actor


async def in_part(db: AsyncConnection | AsyncSession, document_id: UUID, part: Part) -> DocumentView:
    """The document if the actor has this part in it; somebody else's page of it does not exist for them."""
    document = await service.document(db, current_actor(), document_id)
    if part not in service.parts_of(current_actor(), document):
        raise NotFound
    return document
