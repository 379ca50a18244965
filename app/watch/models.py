"""Tables of the watch: events gathered by hour and source, their sums by hour, and reports about the content policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class SecurityEvent(Base):
    """What one source did of one kind within one hour: how often, and the facts of the last time.

    `subject` is the id of a person, or empty; `block` an address block (an IPv4 address, or a /64), or empty.
    """

    __tablename__ = "security_events"
    __table_args__ = (
        UniqueConstraint("hour", "kind", "subject", "block"),
        Index("ix_security_events_first_at", "first_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    block: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    request_id: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SecurityHour(Base):
    """How many events of one kind one hour had, over all workers and sources."""

    __tablename__ = "security_hours"

    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class PolicyReport(Base):
    """One violation of the Content-Security-Policy as browsers report it, however often it was reported."""

    __tablename__ = "policy_reports"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    page: Mapped[str] = mapped_column(Text)
    directive: Mapped[str] = mapped_column(Text)
    blocked: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    line: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
