"""What of a document or an entry goes into a file, and what the file is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.documents.schemas import DocumentView
from app.journal.schemas import EntryView


@dataclass(frozen=True)
class Manuscript:
    """A text to take along; `lines` stand below its title."""

    title: str
    body: str
    people: tuple[str, ...]
    lines: tuple[str, ...]
    at: datetime

    def file_name(self, ending: str) -> str:
        return f"{self.title[:120]}.{ending}"


def of_document(document: DocumentView) -> Manuscript:
    """A document as it is saved now."""
    writer = document.editor_name or document.sponsor_name
    lines = [writer]
    if document.editor_name is not None:
        lines.append(f"Commissioned by {document.sponsor_name}")
    lines.append(f"Version {document.version}, {document.updated_at:%d %B %Y}")
    return Manuscript(document.title, document.body, (writer,), tuple(lines), document.updated_at)


def of_entry(entry: EntryView) -> Manuscript:
    """A journal entry as readers have it."""
    name = entry.author.display_name
    return Manuscript(entry.title, entry.body, (name,), (name, f"{entry.published_at:%d %B %Y}"), entry.updated_at)
