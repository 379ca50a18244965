"""What people ask of their own history, and what they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much, and from where on."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened.  `by` never names staff; `address` and `device` are there where they are one's own, or
    those of somebody who was not signed in."""

    id: UUID
    at: datetime
    kind: str
    words: str
    by: Literal["you", "staff", "nobody signed in", "the site"]
    target_type: str
    target_id: str
    address: str | None
    device: str | None


class HistoryPage(msgspec.Struct, frozen=True):
    """What happened, newest first, and the cursor of the next page."""

    items: list[Happening]
    next_cursor: str | None
