"""Room for packed versions beside the plain ones, which the release before this one still writes."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "writing_versions"
down_revision = "writing_life"


def upgrade() -> None:
    op.add_column("document_versions", sa.Column("packed", sa.LargeBinary(), nullable=True))
    op.add_column("document_versions", sa.Column("base", sa.Integer(), nullable=True))
    # It is compressed already; PostgreSQL need not try.
    op.execute("ALTER TABLE document_versions ALTER COLUMN packed SET STORAGE EXTERNAL")
    for name in ("brief", "body"):
        op.alter_column("document_versions", name, existing_type=sa.Text(), nullable=True)
    op.create_check_constraint(
        op.f("ck_document_versions_text_kept"),
        "document_versions",
        "packed IS NOT NULL OR (brief IS NOT NULL AND body IS NOT NULL)",
    )
    op.create_index(
        "ix_document_versions_copies",
        "document_versions",
        ["document_id", "version"],
        postgresql_where=sa.text("base IS NULL AND packed IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_document_versions_copies", table_name="document_versions")
    op.drop_constraint(op.f("ck_document_versions_text_kept"), "document_versions", type_="check")
    for name in ("brief", "body"):
        op.alter_column("document_versions", name, existing_type=sa.Text(), nullable=False)
    op.drop_column("document_versions", "base")
    op.drop_column("document_versions", "packed")
