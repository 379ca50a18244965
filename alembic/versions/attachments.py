"""Files attached to documents, and the trigger that notes which of them saved texts speak of."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "attachments"
down_revision = "writing_packed"

NOTE = """
CREATE FUNCTION note_attachments_of_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE attachments SET referred_at = clock_timestamp()
    WHERE document_id = NEW.id AND referred_at IS NULL AND position(id::text IN lower(NEW.body)) > 0;
    RETURN NULL;
END
$$
"""
WATCH = """
CREATE TRIGGER note_attachments AFTER INSERT OR UPDATE OF body ON documents
FOR EACH ROW EXECUTE FUNCTION note_attachments_of_text()
"""


def upgrade() -> None:
    op.create_table(
        "attachment_blobs",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_attachment_blobs")),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_attachments_document_id_documents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["attachment_blobs.sha256"],
            name=op.f("fk_attachments_sha256_attachment_blobs"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["people.id"], name=op.f("fk_attachments_uploaded_by_people"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_document", "attachments", ["document_id", "uploaded_at", "id"])
    op.create_index("ix_attachments_sha256", "attachments", ["sha256"])
    op.execute(NOTE)
    op.execute(WATCH)


def downgrade() -> None:
    op.execute("DROP TRIGGER note_attachments ON documents")
    op.execute("DROP FUNCTION note_attachments_of_text")
    op.drop_table("attachments")
    op.drop_table("attachment_blobs")
