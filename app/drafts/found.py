"""Drafts as the page of their text finds them: the one that is gone on with, or the newest of those that wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.drafts.schemas import DraftView, beside, own_place, text_draft

NEWEST = "1"


def on_page(draft: DraftView, values: dict[str, str]) -> dict[str, Any]:
    """A draft for the page of its text; `values` go into the form once it is opened."""
    name = text_draft(draft.place)[2]
    return {"place": draft.place, "name": name, "saved_at": draft.saved_at, "values": values}


def chosen(found: Sequence[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    """The draft named in an address, opened; else the newest, offered.  `others` are as many as there are besides."""
    opened = next((draft for draft in found if wanted in (NEWEST, draft["name"])), None) if wanted else None
    draft = opened or next(iter(found), None)
    return None if draft is None else {**draft, "open": opened is not None, "others": len(found) - 1}


def begun(
    text_place: str, typed: dict[str, str], saved: Mapping[str, str], found: Sequence[dict[str, Any]], wanted: str
) -> tuple[dict[str, str], dict[str, Any] | None]:
    """What stands in the form of a text, and the draft its page tells of.

    What was `typed` and came back stays as it is; else the draft that is `wanted` stands there, or what is `saved`.
    """
    if typed:
        return typed | {"place": own_place(typed, text_place)}, None
    draft = chosen(found, wanted)
    if draft and draft["open"]:
        seen = draft["saved_at"].isoformat()
        return {**saved, **draft["values"], "place": draft["place"], "seen": seen}, draft
    return {**saved, "place": beside(text_place)}, draft
