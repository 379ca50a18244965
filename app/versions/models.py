"""What every table of versions has; a room adds whose versions they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column


class Kept:
    """One saved state of a text, for ever: who saved it, when, and what it said.

    `packed` holds the text as `app.versions.packing` writes it, `base` is the version that reading it needs.
    """

    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    packed: Mapped[bytes | None] = mapped_column(LargeBinary)
    base: Mapped[int | None]
    saved_at: Mapped[datetime]
    saved_by: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    summary: Mapped[str] = mapped_column(Text, server_default="")
