"""What of a document or an entry goes into a file, and what the file is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.attachments import illustrations
from app.attachments.illustrations import Illustration
from app.documents import service as documents
from app.journal import service as journal


@dataclass(frozen=True)
class Manuscript:
    """A text to take along; `lines` stand below its title, `pictures` are those in it that its reader may see."""

    title: str
    body: str
    people: tuple[str, ...]
    lines: tuple[str, ...]
    at: datetime
    pictures: tuple[Illustration, ...] = ()

    def file_name(self, ending: str) -> str:
        return f"{self.title[:120]}.{ending}"


async def of_document(db: AsyncConnection, actor: Actor, document_id: UUID) -> Manuscript:
    """A document as it is saved now, with the pictures in it; raises NotFound."""
    document = await documents.document(db, actor, document_id)
    writer = document.editor_name or document.sponsor_name
    lines = [writer]
    if document.editor_name is not None:
        lines.append(f"Commissioned by {document.sponsor_name}")
    lines.append(f"Version {document.version}, {document.updated_at:%d %B %Y}")
    pictures = await illustrations.of_document(db, actor, document_id, document.body)
    return Manuscript(document.title, document.body, (writer,), tuple(lines), document.updated_at, pictures)


async def of_entry(db: AsyncConnection, entry_id: UUID) -> Manuscript:
    """A journal entry as readers have it; raises NotFound or Gone."""
    entry = await journal.entry(db, entry_id)
    name = entry.author.display_name
    lines = (name, f"{entry.published_at:%d %B %Y}")
    pictures = await illustrations.of_entry(db, entry_id, entry.body)
    return Manuscript(entry.title, entry.body, (name,), lines, entry.updated_at, pictures)
