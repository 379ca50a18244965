"""What comes in as a draft and what goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from app.ids import new_id
from app.web.fields import BodyText, TextRule, text

Place = Annotated[
    str,
    msgspec.Meta(
        pattern="^(entry|new:{0}|(document|entry):{0}(:{0})?)$".replace(
            "{0}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        ),
        max_length=90,
    ),
]
FIRST = "first"
"""How the draft is named that lies in the place of a text itself; all others have names of their own."""
ENTRY = "entry"
"""The one place of new entries until there could be several."""
# Half a title or half a brief is a draft as well, so they are only bounded.
Loose = Annotated[str, text(TextRule(most=20_000, multiline=True, strip=False))]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
NEVER: Final = datetime.fromtimestamp(0, UTC)
"""When nothing was kept: what a page says it has seen, and nobody can read."""
_LINES = re.compile("\r\n?")


class NewDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has typed so far, the version of the text they began with (0 for none), and when the draft that
    they go on with was kept (empty for none)."""

    place: Place
    body: BodyText
    title: Loose = ""
    brief: Loose | None = None
    tags: Loose | None = None
    version: Annotated[int, msgspec.Meta(ge=0, le=999_999_999)] = 0
    seen: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Discarded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The place whose draft is thrown away, when the one was kept that was shown, and the page to go back to."""

    place: Place
    shown: Annotated[str, msgspec.Meta(max_length=64)] = ""
    next: Annotated[str, msgspec.Meta(max_length=2048)] = ""


class Previewed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to be looked at as readers would see it."""

    body: BodyText


class DraftView(msgspec.Struct, frozen=True):
    """A draft as its writer finds it again."""

    place: str
    title: str
    brief: str | None
    body: str
    version: int
    saved_at: datetime
    tags: str | None = None


class Kept(msgspec.Struct, frozen=True):
    """When it was kept, and where: beside the place that was asked for, if another window kept something else there."""

    saved_at: datetime
    place: str


def document_place(document_id: object) -> str:
    """The place of a document's text."""
    return f"document:{document_id}"


def beside(text_place: str) -> str:
    """A place for one more draft of a text: what is typed on a page takes nothing away that was typed on another."""
    return f"{text_place}:{new_id()}"


def another(place: str) -> str:
    """A place for one more draft of what this place is of."""
    text_place = text_of(place)
    return beside(text_place) if text_place else new_place()


def text_of(place: str) -> str:
    """The place of the text that a draft is of; empty for drafts of new entries."""
    kind, text_id, _ = text_draft(place)
    return f"{kind}:{text_id}" if kind in ("document", "entry") and text_id else ""


def as_kept(typed: Mapping[str, str]) -> dict[str, str | None]:
    """The texts of a form as its draft has them."""
    names = ("title", "brief", "body", "tags")
    return {name: _LINES.sub("\n", typed[name]) if name in typed else None for name in names}


def moment_seen(seen: str) -> datetime | None:
    """When the draft was kept that a page shows; None when it shows none."""
    try:
        return msgspec.convert(seen, Moment).astimezone(UTC) if seen else None
    except (msgspec.ValidationError, OverflowError):
        return NEVER


def own_place(typed: Mapping[str, str], text_place: str) -> str:
    """Where the page that sent this form kept its draft."""
    given = typed.get("place", "")
    return given if given.startswith(f"{text_place}:") else text_place


def text_draft(place: str) -> tuple[str, str, str]:
    """What the draft is of ("document" or "entry"), its id, and how the draft is named in addresses."""
    kind, text_id, name = (*place.split(":"), "", "")[:3]
    return kind, text_id, name or FIRST


def new_place() -> str:
    """A place for one more new entry."""
    return f"new:{new_id()}"


def entry_draft(place: str) -> str:
    """How the draft of a new entry is named in addresses; empty for drafts of what is there already."""
    kind, _, name = place.partition(":")
    return name if kind == "new" else ENTRY if place == ENTRY else ""


def entry_place(entry_id: object) -> str:
    """The place of an entry that is there already."""
    return f"entry:{entry_id}"
