"""What comes into the journal and what goes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from app.web.fields import BodyText, Title

Order = Literal["newest", "oldest"]


@dataclass(frozen=True)
class Chosen:
    """Which entries a reader wants; what is None or empty leaves nothing out."""

    author_id: UUID | None = None
    published_from: datetime | None = None
    published_before: datetime | None = None
    ids: tuple[UUID, ...] = ()
    order: Order = "newest"


class NewEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journal entry to publish: a title and a body in Markdown."""

    title: Title
    body: BodyText


class Author(msgspec.Struct, frozen=True):
    """Who wrote it."""

    id: UUID
    display_name: str


class EntryView(msgspec.Struct, frozen=True):
    """A journal entry as anybody may read it; `body` is the Markdown as written."""

    id: UUID
    title: str
    body: str
    author: Author
    published_at: datetime
    updated_at: datetime
    version: int
    document_id: UUID | None


class EntryPage(msgspec.Struct, frozen=True):
    """Entries, newest first, and the cursor of the next page."""

    items: list[EntryView]
    next_cursor: str | None
