"""Drafts as the page of their text finds them: the one that is gone on with, or the newest of those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.drafts.schemas import DraftView, text_draft

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
