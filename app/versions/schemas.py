"""What is asked about the versions of a text and what is answered, whatever kind of text it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

LARGEST: Final = 2**31 - 1
"""The largest number a version can have: what its column holds.  Numbers come from addresses and may be larger."""
Number = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]


class VersionRow(msgspec.Struct, frozen=True):
    """One save of a text."""

    version: int
    saved_at: datetime
    saved_by: UUID
    saved_by_name: str
    summary: str


class VersionPage(msgspec.Struct, frozen=True):
    """Saves, newest first, and the cursor of the next page."""

    items: list[VersionRow]
    next_cursor: str | None


class Restoration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version to go back to; it becomes the newest, and those in between stay."""

    version: Number


class CompareQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which two versions."""

    before: Number = msgspec.field(name="from")
    after: Number = msgspec.field(name="to")


class VersionsOnPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the list a page shows."""

    cursor: Annotated[str, msgspec.Meta(max_length=64)] = ""


class RestoreForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that was newest when the button was shown."""

    version: Number
