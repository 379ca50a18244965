"""Tags on documents."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "documents_tags"
down_revision = "watch"


def upgrade() -> None:
    op.add_column("documents", sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.create_index("ix_documents_tags", "documents", ["tags"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_documents_tags", table_name="documents")
    op.drop_column("documents", "tags")
