"""The trail's tables.  The application's database role may insert and read here, never change or delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

TRANSACTION = "((pg_current_xact_id()::text)::bigint + audit_shift())"


class AuditEvent(Base):
    """One thing that happened.  `transaction` and `sequence` order rows for the seals laid over them.

    `actor_name`, `address` and `personal` can be erased; `personal_digest`, which the seals hold, stays.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        UniqueConstraint("transaction", "sequence"),
        Index("ix_audit_events_at", "at", "id"),
        Index("ix_audit_events_actor", "actor_id", "at"),
        Index("ix_audit_events_target", "target_id", "at"),
        # By byte, so that the beginning of a kind finds its family whatever the database's collation.
        Index("ix_audit_events_kind", "kind", "at", postgresql_ops={"kind": "text_pattern_ops"}),
        Index("ix_audit_events_address", "address", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    transaction: Mapped[int] = mapped_column(BigInteger, server_default=text(TRANSACTION))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(Text)
    actor_via: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    personal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    personal_digest: Mapped[bytes] = mapped_column(LargeBinary)


class AuditSeal(Base):
    """One link of the chain: `events` rows in order, by id and hash, under the digest of everything before them."""

    __tablename__ = "audit_seals"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    from_transaction: Mapped[int] = mapped_column(BigInteger)
    to_transaction: Mapped[int] = mapped_column(BigInteger)
    to_sequence: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int] = mapped_column(Integer)
    rows: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime]


class AuditSignature(Base):
    """Vault's signature (Ed25519, RFC 8032) over the digest of a seal."""

    __tablename__ = "audit_signatures"

    seal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("audit_seals.id"), primary_key=True, autoincrement=False
    )
    key_version: Mapped[int] = mapped_column(Integer)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime]
