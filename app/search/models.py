"""The table of words that texts are made of, for those who spell one of them wrongly."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

SHORTEST: Final = 3
"""Letters of the shortest words there."""


class SearchWord(Base):
    """A word that stands, or once stood, in a title or a text; the database notes it itself (triggers `note_words`).

    Of a text those are noted that it has most often, at most 500 at each save.  Words nobody else may see are among them:
    they only widen a search, and are never shown.
    """

    __tablename__ = "search_words"
    __table_args__ = (
        Index("ix_search_words_word", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )

    word: Mapped[str] = mapped_column(Text, primary_key=True)
