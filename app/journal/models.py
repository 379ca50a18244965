"""The table of journal entries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Entry(Base):
    """One published text.  `document_id` is set when it came from a commissioned document, `withdrawn_at` while it is
    unpublished."""

    __tablename__ = "entries"
    __table_args__ = (Index("ix_entries_published", "published_at", "id"), Index("ix_entries_author", "author_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    document_id: Mapped[UUID | None] = mapped_column(unique=True)
    withdrawn_at: Mapped[datetime | None]
