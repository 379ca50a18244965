"""What can be asked of the search and what it answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.documents.life import State
from app.web.fields import TextRule, text
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE
from app.web.tags import TagWanted

Where = Literal["everywhere", "journal", "documents"]
Words = Annotated[str, text(TextRule(most=200, multiline=True))]


class SearchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for: words, and where; `person` is part of a name, `since` and `until` are days (UTC), both included."""

    q: Words = ""
    where: Where = "everywhere"
    state: State | None = None
    person: Words = ""
    tag: TagWanted = ""
    since: date | None = None
    until: date | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Piece(msgspec.Struct, frozen=True):
    """Some words of an excerpt, and whether they are what was looked for."""

    text: str
    hit: bool = False


class Found(msgspec.Struct, frozen=True):
    """A text that was found; `url` is where people read it, `state` that of a document."""

    kind: Literal["entry", "document"]
    id: UUID
    title: str
    excerpt: list[Piece]
    url: str
    person_id: UUID
    person_name: str
    state: State | None
    at: datetime
    rank: float


class SearchPage(msgspec.Struct, frozen=True):
    """Texts, the best first; `similar` says that nothing held the words themselves, and texts are shown that hold words like
    them."""

    items: list[Found]
    similar: bool
    next_cursor: str | None
