"""How far the talk about a document has come, as one short word that differs whenever anything was said or settled."""

from __future__ import annotations

from datetime import datetime
from typing import Final

MOST_COMMENTS: Final = 500
"""Comments a page shows."""


def talk_mark(said: int, settled: int, newest: datetime | None) -> str:
    """The mark for so many comments, of which so many are settled, the newest of either at that moment."""
    return f"{said}.{settled}.{int(newest.timestamp() * 1_000_000) if newest else 0}"
