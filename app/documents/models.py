"""Tables of documents, their versions and the steps they took."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.documents.life import STATES
from app.versions.models import Kept

# As PostgreSQL writes it down, so that comparing the two finds no difference.  A tsvector holds a megabyte at most, so of
# very long texts the beginning is found.
SEARCH = (
    "((setweight(to_tsvector('simple'::regconfig, title), 'A'::\"char\") || "
    "setweight(to_tsvector('simple'::regconfig, brief), 'C'::\"char\")) || "
    "setweight(to_tsvector('simple'::regconfig, \"left\"(body, 150000)), 'D'::\"char\"))"
)


class Document(Base):
    """A commissioned document.  `version` counts saves of the text, `revision` every change of the row (its ETag)."""

    __tablename__ = "documents"
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 - SQLAlchemy reads it; who writes needs no `search` back
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_known"),
        Index("ix_documents_sponsor", "sponsor_id", "updated_at", "id"),
        Index("ix_documents_editor", "editor_id", "updated_at", "id"),
        # Whose it is for those who look for texts of somebody; statistics of it tell one person's many from another's few.
        Index("ix_documents_person", text("coalesce(editor_id, sponsor_id)"), "updated_at", "id"),
        Index("ix_documents_updated", "updated_at", "id"),
        Index("ix_documents_tags", "tags", postgresql_using="gin"),
        Index("ix_documents_state", "state", "updated_at", "id"),
        Index("ix_documents_search", "search", postgresql_using="gin"),
        Index("ix_documents_title", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    brief: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    sponsor_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entries.id", ondelete="SET NULL"))
    due_on: Mapped[date | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default="{}")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    search: Mapped[str] = mapped_column(TSVECTOR, Computed(SEARCH, persisted=True), deferred=True)


class DocumentVersion(Kept, Base):
    """A version of a document.

    `brief` and `body` are where the release before this one writes; they go with the release after it.
    """

    __tablename__ = "document_versions"
    __table_args__ = (
        CheckConstraint("packed IS NOT NULL OR (brief IS NOT NULL AND body IS NOT NULL)", name="text_kept"),
        Index(
            "ix_document_versions_copies",
            "document_id",
            "version",
            postgresql_where=text("base IS NULL AND packed IS NOT NULL"),
        ),
    )

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    brief: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)


class DocumentStep(Base):
    """One step in a document's life, with the note that came with it.

    The step "assign" gives it to the editor `editor_id`, or with None to nobody; so who wrote when stays known.
    """

    __tablename__ = "document_steps"
    __table_args__ = (Index("ix_document_steps_document", "document_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    step: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default="")
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))


class Comment(Base):
    """Something said about a document, or about the passage `quote` near `place` in the text of `version`; or a reply."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_document", "document_id", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    quote: Mapped[str] = mapped_column(Text, server_default="")
    place: Mapped[int | None]
    mentions: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
