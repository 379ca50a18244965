"""What other rooms may build statements on: entries as readers have them."""

from __future__ import annotations

from app.journal.models import Entry

__all__ = ["Entry"]
