"""Versions of journal entries, tags on entries, and the tags somebody has typed but not saved."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "journal_versions"
down_revision = "sessions_issued_as"


def _tags() -> sa.Column[list[str]]:
    return sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)


def upgrade() -> None:
    op.create_table(
        "entry_versions",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=True),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        _tags(),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_entry_versions_entry_id_entries", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["saved_by"], ["people.id"], name="fk_entry_versions_saved_by_people", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("entry_id", "version", name="pk_entry_versions"),
    )
    op.create_index(
        "ix_entry_versions_copies", "entry_versions", ["entry_id", "version"], postgresql_where=sa.text("base IS NULL")
    )
    op.add_column("entries", _tags())
    op.create_index("ix_entries_tags", "entries", ["tags"], postgresql_using="gin")
    op.add_column("drafts", sa.Column("tags", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("drafts", "tags")
    op.drop_index("ix_entries_tags", table_name="entries")
    op.drop_column("entries", "tags")
    op.drop_table("entry_versions")
