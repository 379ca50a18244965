"""Full-text search over entries and documents, and titles by trigrams for words that are spelt wrongly."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "writing_search"
down_revision = "writing_drafts"

_TITLE = "setweight(to_tsvector('simple'::regconfig, title), 'A'::\"char\")"
_BRIEF = "setweight(to_tsvector('simple'::regconfig, brief), 'C'::\"char\")"
_BODY = "setweight(to_tsvector('simple'::regconfig, \"left\"(body, 150000)), 'D'::\"char\")"
_TABLES = {"entries": f"({_TITLE} || {_BODY})", "documents": f"(({_TITLE} || {_BRIEF}) || {_BODY})"}


def upgrade() -> None:
    for table, expression in _TABLES.items():
        column = sa.Column("search", postgresql.TSVECTOR(), sa.Computed(expression, persisted=True))
        op.add_column(table, column)
        op.alter_column(table, "search", existing_type=postgresql.TSVECTOR(), nullable=False)
        op.create_index(f"ix_{table}_search", table, ["search"], postgresql_using="gin")
        op.create_index(
            f"ix_{table}_title", table, ["title"], postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}
        )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"ix_{table}_title", table_name=table)
        op.drop_index(f"ix_{table}_search", table_name=table)
        op.drop_column(table, "search")
