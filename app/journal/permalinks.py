"""The lasting address of an entry: its id, and its title in words for people; the id alone always works."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote
from uuid import UUID

_NOT_WORD: Final = re.compile(r"[\W_]+")
_LONGEST: Final = 60


def slug(title: str) -> str:
    """The title as part of an address: words in lower case between dashes, in any script."""
    words = _NOT_WORD.sub("-", title.lower()).strip("-")
    return words[:_LONGEST].rstrip("-") or "entry"


def permalink(entry_id: UUID, title: str) -> str:
    """The path under which an entry is read; the title in it may be out of date, the id never is."""
    return f"/entry/{entry_id}/{quote(slug(title))}"
