"""Tables of attached files: the bytes by their hash, and who attached them to which document under which name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class Blob(Base):
    """Bytes in the store, once, however often they were attached.  `stored_at` moves whenever they come again."""

    __tablename__ = "attachment_blobs"

    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime]


class Attachment(Base):
    """A file attached to a document.

    `media_type` is what its bytes say, `name` a text and nothing else.  `referred_at` is set by the database itself as
    soon as any saved text of the document speaks of the file (a trigger, so no way of saving can forget it): old
    versions are kept for ever, so from then on the bytes are too.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_document", "document_id", "uploaded_at", "id"),
        Index("ix_attachments_sha256", "sha256"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    sha256: Mapped[bytes] = mapped_column(ForeignKey("attachment_blobs.sha256", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    uploaded_at: Mapped[datetime]
    referred_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
