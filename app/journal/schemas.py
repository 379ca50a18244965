"""What comes into the journal and what goes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.versions.comparing import Comparison
from app.versions.schemas import VersionRow
from app.web.fields import BodyText, Line, Title
from app.web.tags import TagLine, Tags

Order = Literal["newest", "oldest"]


@dataclass(frozen=True)
class Chosen:
    """Which entries a reader wants; what is None or empty leaves nothing out."""

    author_id: UUID | None = None
    published_from: datetime | None = None
    published_before: datetime | None = None
    ids: tuple[UUID, ...] = ()
    order: Order = "newest"
    tag: str = ""


class NewEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A journal entry to publish: a title and a body in Markdown."""

    title: Title
    body: BodyText
    tags: Tags = []


class EntryChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to an entry of one's own; what is left out stays as it is."""

    title: Title | UnsetType = UNSET
    body: BodyText | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class EntryForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page form of an entry: tags stand between commas, `version` is the text a change began with, `note` its line
    in the history."""

    title: Title
    body: BodyText
    tags: TagLine = ""
    version: Annotated[str, msgspec.Meta(max_length=12)] = ""
    note: Line = ""


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
    tags: list[str] = []


class OwnEntry(EntryView, frozen=True, kw_only=True):
    """An entry as its author has it: also while it is withdrawn."""

    withdrawn_at: datetime | None


class EntryVersionView(VersionRow, frozen=True, kw_only=True):
    """One save of an entry with its text as it was."""

    title: str
    body: str
    tags: list[str]


class EntryDifference(msgspec.Struct, frozen=True):
    """Where two versions of an entry differ; `title` is null where it is the same."""

    before: int
    after: int
    title: Comparison | None
    body: Comparison
    tags_added: list[str]
    tags_removed: list[str]


class EntryPage(msgspec.Struct, frozen=True):
    """Entries, newest first, and the cursor of the next page."""

    items: list[EntryView]
    next_cursor: str | None
