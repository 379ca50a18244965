"""When a document is due, whether it is late, and how that is said."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from app.documents.life import State

WAITED_FOR: Final[frozenset[State]] = frozenset({"draft", "in_progress", "returned"})
"""States in which somebody waits for the text; what was handed in is no longer late, whoever reads it when."""
_SOON = 14
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def is_late(state: str, due_on: date | None, today: date) -> bool:
    """Whether the text should have been handed in before today (UTC)."""
    return due_on is not None and due_on < today and state in WAITED_FOR


def words(due_on: date, today: date, *, late: bool) -> str:
    """Say it in short: "3 days late", "due tomorrow", "due 4 May 2027"."""
    days = (due_on - today).days
    if late:
        return "1 day late" if days == -1 else f"{-days} days late"
    if days in (0, 1):
        return "due today" if days == 0 else "due tomorrow"
    if 0 < days <= _SOON:
        return f"due in {days} days"
    year = "" if due_on.year == today.year else f" {due_on.year}"
    return f"due {due_on.day} {_MONTHS[due_on.month - 1]}{year}"


def shown(state: str, due_on: date | None, today: date) -> dict[str, Any] | None:
    """What pages say about the due date, or None when there is none."""
    if due_on is None:
        return None
    late = is_late(state, due_on, today)
    return {"on": due_on.isoformat(), "words": words(due_on, today, late=late), "late": late}
