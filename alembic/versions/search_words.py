"""The words of titles, by which wrongly spelt ones are understood; and an index for documents in one state, newest first."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "search_words"
down_revision = "known_devices"

# In the order of the words, so that two titles with the same new words never wait for each other.
NOTE = """
CREATE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_words
    SELECT word FROM unnest(tsvector_to_array(to_tsvector('simple', NEW.title))) AS word
    WHERE length(word) BETWEEN 3 AND 40 ORDER BY word
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
KNOWN = """
INSERT INTO search_words
SELECT DISTINCT word FROM (SELECT title FROM documents UNION SELECT title FROM entries) AS titles,
    unnest(tsvector_to_array(to_tsvector('simple', title))) AS word
WHERE length(word) BETWEEN 3 AND 40
ON CONFLICT DO NOTHING
"""
TABLES = ("documents", "entries")


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.execute(NOTE)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER note_words AFTER INSERT OR UPDATE OF title ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION note_words()"
        )
    op.execute(KNOWN)
    op.create_index(
        "ix_search_words_word",
        "search_words",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_index("ix_documents_state", "documents", ["state", "updated_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_documents_state", table_name="documents")
    for table in TABLES:
        op.execute(f"DROP TRIGGER note_words ON {table}")
    op.execute("DROP FUNCTION note_words")
    op.drop_table("search_words")
