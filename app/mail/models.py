"""The table of letters.  A letter that is sent or given up keeps nothing personal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Letter(Base):
    """One letter to one person; `sealed` holds address and words, `error` how the last attempt failed, never whom."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "next_try_at", postgresql_where=text("sealed IS NOT NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[str]
    sealed: Mapped[bytes | None]
    key_version: Mapped[int]
    attempts: Mapped[int]
    error: Mapped[str]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
