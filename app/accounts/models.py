"""Tables of people, of what was decided about them, and of their browser sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

SEARCHED = "lower(email_key || ' '::text || display_name)"  # as PostgreSQL writes it back
STATUSES = "('pending', 'active', 'declined', 'suspended')"


class Person(Base):
    """One account.  `epoch` grows whenever rights shrink; credentials of an older epoch are void at once."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status_known"),
        CheckConstraint("roles <@ ARRAY['member','sponsor','editor','admin']", name="roles_known"),
        CheckConstraint("cardinality(roles) > 0", name="roles_some"),
        Index("ix_people_created", "created_at", "id"),
        Index("ix_people_status_created", "status", "created_at", "id"),
        Index("ix_people_roles", "roles", postgresql_using="gin"),
        Index(
            "ix_people_search", "search_text", postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"}
        ),
        Index("ix_people_suspended_until", "status_until", postgresql_where=text("status = 'suspended'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text)
    status_since: Mapped[datetime]
    status_until: Mapped[datetime | None]
    status_message: Mapped[str] = mapped_column(Text, server_default="")
    epoch: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    search_text: Mapped[str] = mapped_column(Text, Computed(SEARCHED, persisted=True))


class AccountChange(Base):
    """One decision about an account: who, when, from what to what, why (for staff), in what words (to the person)."""

    __tablename__ = "account_changes"
    __table_args__ = (Index("ix_account_changes_person", "person_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(Text)
    from_status: Mapped[str | None] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    from_roles: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    to_roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    message: Mapped[str] = mapped_column(Text, server_default="")
    until: Mapped[datetime | None]


class KnownDevice(Base):
    """A browser somebody signed in from before, by the hash of the mark it carries; it gives no right to anything."""

    __tablename__ = "known_devices"
    __table_args__ = (Index("ix_known_devices_last_at", "last_at"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class Session(Base):
    """One browser sign-in; `steps` are those it has passed (`app.web.steps`).

    The cookie carries a random id of 256 bits; only its SHA-256 is kept (ASVS 7.2.3).  `issued_as` is the status its
    person had when that id was given out; in another status it is good for one thing only, to be exchanged.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_person", "person_id"), Index("ix_sessions_ends_at", "ends_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    issued_as: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    fresh_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(Text, server_default="")
    address: Mapped[str] = mapped_column(Text, server_default="")
    steps: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
