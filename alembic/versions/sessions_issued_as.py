"""Sessions know in which status of their person their id was given out, so that it changes when the status does."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "sessions_issued_as"
down_revision = "writing_comments"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("issued_as", sa.Text(), server_default="active", nullable=False))


def downgrade() -> None:
    op.drop_column("sessions", "issued_as")
