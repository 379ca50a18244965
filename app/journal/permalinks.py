"""The lasting address of an entry: its id, and its title in words for people; the id alone always works."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from uuid import UUID

from app.web.slugs import words_in_address

_LONGEST: Final = 60
_TAKEN: Final = frozenset({"compare", "edit", "publish", "versions", "withdraw"})
"""Words that stand in the same place of other addresses of an entry."""


def slug(title: str) -> str:
    """The title as part of an address: words in lower case between dashes, in any script."""
    words = words_in_address(title)[:_LONGEST].rstrip("-") or "entry"
    return f"entry-{words}" if words in _TAKEN else words


def permalink(entry_id: UUID, title: str) -> str:
    """The path under which an entry is read; the title in it may be out of date, the id never is."""
    return f"/entry/{entry_id}/{quote(slug(title))}"


def tag_page(tag: str) -> str:
    """The path under which everything with a tag is listed."""
    return f"/tag/{quote(tag)}"


def author_page(person_id: UUID) -> str:
    """The path under which everything by one person is listed."""
    return f"/by/{person_id}"
