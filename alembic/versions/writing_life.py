"""Due dates of documents, who they were given to and when, and entries that were withdrawn."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "writing_life"
down_revision = "oauth"


def upgrade() -> None:
    op.add_column("documents", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("document_steps", sa.Column("editor_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_document_steps_editor_id_people"),
        "document_steps",
        "people",
        ["editor_id"],
        ["id"],
        ondelete="RESTRICT",
    )
    op.add_column("entries", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("entries", "withdrawn_at")
    op.drop_constraint(op.f("fk_document_steps_editor_id_people"), "document_steps", type_="foreignkey")
    op.drop_column("document_steps", "editor_id")
    op.drop_column("documents", "due_on")
