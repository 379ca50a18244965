"""The words of texts too, and not of titles only, by which wrongly spelt ones are understood."""

from __future__ import annotations

from alembic import op

revision = "search_body_words"
down_revision = "search_statistics"

# Of each text at most so many, first those of its title, then those it has most often: a text may hold a hundred thousand
# different words, made up to fill this table.  What has digits in it is a number, a key or part of an address.
OFTEN = """
    SELECT lexeme AS word FROM unnest({}) WHERE length(lexeme) BETWEEN 3 AND 40 AND ('A' = ANY(weights) OR lexeme !~ '[0-9]')
    ORDER BY 'A' = ANY(weights) DESC, cardinality(positions) DESC, lexeme LIMIT 500
"""
# Only what is new: whoever saves a long text again does not have all of it looked up again.  In the order of the words, so
# that two texts with the same new words never wait for each other.
NOTE = f"""
CREATE OR REPLACE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fresh tsvector := NEW.search;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        fresh := ts_delete(fresh, tsvector_to_array(OLD.search));
    END IF;
    INSERT INTO search_words SELECT word FROM ({OFTEN.format("fresh")}) AS often ORDER BY word ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
# As it was before, in its own words: a revision stays what it was, whatever becomes of the others.
OF_TITLES = """
CREATE OR REPLACE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql AS $$
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
SELECT DISTINCT word FROM {} AS texts, LATERAL ({}) AS often ON CONFLICT DO NOTHING
"""


SEARCHED = {"documents": "title, brief, body", "entries": "title, body"}


def upgrade() -> None:
    for table in SEARCHED:
        op.execute(KNOWN.format(table, OFTEN.format("texts.search")))
    _turn(NOTE, SEARCHED)
    op.execute("ANALYZE search_words")


def downgrade() -> None:
    _turn(OF_TITLES, dict.fromkeys(SEARCHED, "title"))


def _turn(note: str, columns: dict[str, str]) -> None:
    """From now on note the words of these columns, this way; the tables are held only for that."""
    op.execute(note)
    for table, names in columns.items():
        op.execute(f"DROP TRIGGER note_words ON {table}")
        op.execute(
            f"CREATE TRIGGER note_words AFTER INSERT OR UPDATE OF {names} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION note_words()"
        )
