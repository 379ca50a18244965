"""Taking a file in for a route, whichever face it came by."""

from __future__ import annotations

from uuid import UUID

from app.attachments import service
from app.attachments.schemas import AttachmentView
from app.attachments.service import Limits
from app.attachments.store import Store
from app.web.context import current_actor, extension, reading, resources


async def attach(document_id: UUID, name: str, pieces: service.Pieces) -> AttachmentView:
    """Take a file in and show what became of it."""
    res = resources()
    limits = Limits(document=res.settings.attachments_per_document)
    attachment_id = await service.attach(
        res.database, extension(Store), current_actor(), document_id, name, pieces, limits
    )
    async with reading() as db:
        return await service.attachment(db, current_actor(), document_id, attachment_id)
