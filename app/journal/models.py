"""Tables of journal entries and of their versions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.versions.models import Kept

# As PostgreSQL writes it down, so that comparing the two finds no difference.  A tsvector holds a megabyte at most, so of
# very long texts the beginning is found.
SEARCH = (
    "(setweight(to_tsvector('simple'::regconfig, title), 'A'::\"char\") || "
    "setweight(to_tsvector('simple'::regconfig, \"left\"(body, 150000)), 'D'::\"char\"))"
)


class Entry(Base):
    """One published text.  `document_id` is set when it came from a commissioned document, `withdrawn_at` while it is
    unpublished."""

    __tablename__ = "entries"
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 - SQLAlchemy reads it; who writes needs no `search` back
    __table_args__ = (
        Index("ix_entries_published", "published_at", "id"),
        Index("ix_entries_author", "author_id"),
        Index("ix_entries_tags", "tags", postgresql_using="gin"),
        Index("ix_entries_search", "search", postgresql_using="gin"),
        Index("ix_entries_title", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    document_id: Mapped[UUID | None] = mapped_column(unique=True)
    withdrawn_at: Mapped[datetime | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default="{}")
    search: Mapped[str] = mapped_column(TSVECTOR, Computed(SEARCH, persisted=True), deferred=True)


class EntryVersion(Kept, Base):
    """A version of an entry that its author wrote here.

    The first one is made when there is a second: publishing costs nothing more, and what was never changed is its own
    history.  Entries that came from documents have theirs there.
    """

    __tablename__ = "entry_versions"
    __table_args__ = (Index("ix_entry_versions_copies", "entry_id", "version", postgresql_where=text("base IS NULL")),)

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default="{}")
