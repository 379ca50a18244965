"""Searching people by trigrams, ends of suspensions, steps of sessions, and refusals counted by day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # A trusted extension: the owner may make it without being superuser.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA app")
    op.add_column(
        "people",
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed("lower(email_key || ' '::text || display_name)", persisted=True),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_people_search",
        "people",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_people_suspended_until", "people", ["status_until"], postgresql_where=sa.text("status = 'suspended'")
    )
    op.add_column(
        "sessions",
        sa.Column("steps", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.create_table(
        "refusals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "rule", name=op.f("pk_refusals")),
    )


def downgrade() -> None:
    op.drop_table("refusals")
    op.drop_column("sessions", "steps")
    op.drop_index("ix_people_suspended_until", table_name="people")
    op.drop_index("ix_people_search", table_name="people")
    op.drop_column("people", "search_text")
    op.execute("DROP EXTENSION pg_trgm")
