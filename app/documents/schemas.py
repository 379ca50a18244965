"""What comes in about documents and what goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.documents.life import State
from app.versions.comparing import Comparison
from app.versions.schemas import VersionRow
from app.web.fields import BodyText, Brief, Line, Note, TextRule, Title, text
from app.web.tags import TagLine, Tags

LooseId = Annotated[str, msgspec.Meta(max_length=64)]


@dataclass(frozen=True)
class Chosen:
    """Which documents somebody wants; what is None or empty leaves nothing out."""

    state: str | None = None
    editor_id: UUID | None = None
    sponsor_id: UUID | None = None
    updated_since: datetime | None = None
    ids: tuple[UUID, ...] = ()
    order: Literal["newest", "oldest"] = "newest"
    tag: str = ""


class NewDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A commission: what it is called, what is wanted, and the text so far."""

    title: Title
    brief: Brief = ""
    body: BodyText = ""
    editor_id: UUID | None = None
    due_on: date | None = None
    tags: Tags = []


class DocumentChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to a document; what is left out stays as it is."""

    title: Title | UnsetType = UNSET
    brief: Brief | UnsetType = UNSET
    body: BodyText | UnsetType = UNSET
    editor_id: UUID | UnsetType | None = UNSET
    due_on: date | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET


class DocumentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page form of a document; an empty `editor_id` means nobody yet, `version` is the text it was read from."""

    title: Title
    brief: Brief = ""
    body: BodyText = ""
    editor_id: LooseId = ""
    due_on: date | None = None
    tags: TagLine = ""
    version: Annotated[str, msgspec.Meta(max_length=12)] = ""
    note: Line = ""


class StepNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step in a document's life, with an optional note."""

    note: Note = ""


class DocumentRow(msgspec.Struct, frozen=True):
    """A document in a list, without its text."""

    id: UUID
    title: str
    brief: str
    state: State
    version: int
    sponsor_id: UUID
    sponsor_name: str
    editor_id: UUID | None
    editor_name: str | None
    entry_id: UUID | None
    due_on: date | None
    created_at: datetime
    updated_at: datetime
    tags: list[str]


class DocumentView(DocumentRow, frozen=True):
    """A document in full; `body` is the Markdown as written."""

    body: str
    revision: int


class DocumentPage(msgspec.Struct, frozen=True):
    """Documents, last changed first, and the cursor of the next page."""

    items: list[DocumentRow]
    next_cursor: str | None


class StepRow(msgspec.Struct, frozen=True):
    """One step a document took; `assign` is the one that gave it to the editor named, or to nobody."""

    id: UUID
    at: datetime
    step: str
    by: UUID
    by_name: str
    from_state: State
    to_state: State
    editor_id: UUID | None
    editor_name: str | None
    note: str


class StepPage(msgspec.Struct, frozen=True):
    """Steps, newest first, and the cursor of the next page."""

    items: list[StepRow]
    next_cursor: str | None


class VersionView(VersionRow, frozen=True, kw_only=True):
    """One save of a document with its text as it was."""

    title: str
    brief: str
    body: str


class Difference(msgspec.Struct, frozen=True):
    """Where two versions differ; `title` and `brief` are null where they are the same."""

    before: int
    after: int
    title: Comparison | None
    brief: Comparison | None
    body: Comparison


Remark = Annotated[str, text(TextRule(least=1, most=5_000, multiline=True))]
Passage = Annotated[str, text(TextRule(most=1_000, multiline=True, strip=False))]


class NewComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment: on the document, on the passage `quote` near the character `place`, or as a reply to another one."""

    body: Remark
    quote: Passage = ""
    place: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    parent_id: UUID | None = None


class CommentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same from a page."""

    body: Remark
    quote: Passage = ""
    parent_id: UUID | None = None


class CommentView(msgspec.Struct, frozen=True):
    """Something said about a document; `place` is where the passage stands in the text now, null when it is gone."""

    id: UUID
    parent_id: UUID | None
    author_id: UUID
    author_name: str
    body: str
    version: int
    quote: str
    place: int | None
    mentions: list[UUID]
    created_at: datetime
    resolved_at: datetime | None


class CommentPage(msgspec.Struct, frozen=True):
    """Comments, oldest first, and the cursor of the next page."""

    items: list[CommentView]
    next_cursor: str | None
