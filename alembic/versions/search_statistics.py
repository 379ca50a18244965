"""What the planner knows of searches: how common three times as many words are, and how many documents somebody has."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "search_statistics"
down_revision = "mail_outbox"

# Ten words are counted for each; of all others it is only known that they are rarer than these.
WORDS = 300
PEOPLE = 300


def upgrade() -> None:
    op.create_index(
        "ix_documents_person", "documents", [sa.text("coalesce(editor_id, sponsor_id)"), "updated_at", "id"]
    )
    op.execute(f"ALTER INDEX ix_documents_person ALTER COLUMN 1 SET STATISTICS {PEOPLE}")
    for table in ("documents", "entries"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN search SET STATISTICS {WORDS}")
        op.execute(f"ANALYZE {table}")  # nobody else would before there are many more texts


def downgrade() -> None:
    for table in ("entries", "documents"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN search SET STATISTICS -1")
    op.drop_index("ix_documents_person", table_name="documents")
