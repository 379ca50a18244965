"""Browsers an account was signed in to from."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "known_devices"
down_revision = "documents_tags"


def upgrade() -> None:
    op.create_table(
        "known_devices",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_known_devices_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "mark", name=op.f("pk_known_devices")),
    )
    op.create_index("ix_known_devices_last_at", "known_devices", ["last_at"])


def downgrade() -> None:
    op.drop_table("known_devices")
