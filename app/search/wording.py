"""What was typed into the search as PostgreSQL understands it, and marked excerpts as pages may show them."""

from __future__ import annotations

import re
from typing import Final

from app.search.schemas import Piece

MOST_WORDS: Final = 10
_PREFIX: Final = 4
"""Letters from which the beginning of a word is enough; shorter ones would match half the dictionary."""
_WORD: Final = re.compile(r"\w+")
START, STOP = "\x02", "\x03"  # control characters no text holds
_MARKED: Final = re.compile(f"{START}([^{STOP}]*){STOP}")

# Signs of Markdown.  An excerpt begins and ends anywhere, so they are taken away one by one instead of being read.
_LINK: Final = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*(?:\)|\Z)")
_BEGINNING: Final = re.compile(
    r"^[ \t]*(?:(?:#{1,6}|>|[-+*]|\d{1,9}[.)])[ \t]+|[-=*_]{3,}[ \t]*$|(?:`{3}|~{3}).*$)+", re.MULTILINE
)
_AROUND: Final = re.compile(
    rf"\*+(?=\S)|(?<=\S)\*+|`+|~~+|(?<![\w{STOP}])_+(?=[\w{START}])|(?<=[\w{STOP}])_+(?![\w{START}])"
)


def words_of(typed: str) -> list[str]:
    """The words somebody looks for, at most ten."""
    return [word.lower() for word in _WORD.findall(typed)][:MOST_WORDS]


def tsquery(words: list[str]) -> str:
    """All of the words, the longer ones by their beginnings, for `to_tsquery('simple', ...)`."""
    return " & ".join(f"'{word}'" + (":*" if len(word) >= _PREFIX else "") for word in words)


def tsquery_of_whole(words: list[str]) -> str:
    """All of the words just as they were typed."""
    return " & ".join(f"'{word}'" for word in words)


def tsquery_of_any(alike: list[list[str]]) -> str:
    """For each word, itself or any of those that may be meant by it."""
    return " & ".join("(" + " | ".join(f"'{_quoted(word)}'" for word in words) + ")" for words in alike)


def _quoted(word: str) -> str:
    """A word that the database once took out of a title, which may be an address with signs in it."""
    return word.replace("\\", "\\\\").replace("'", "''")


def without_signs(marked: str) -> str:
    """An excerpt of Markdown as it reads on a page: the words of links, headings and lists, and no sign around them."""
    return _AROUND.sub("", _BEGINNING.sub("", _LINK.sub(r"\1", marked)))


def pieces(marked: str) -> list[Piece]:
    """An excerpt between marks as words that are hits and words that are not."""
    found: list[Piece] = []
    at = 0
    marked = without_signs(marked)
    for hit in _MARKED.finditer(marked):
        if hit.start() > at:
            found.append(Piece(marked[at : hit.start()]))
        found.append(Piece(hit.group(1), True))
        at = hit.end()
    rest = marked[at:].replace(START, "").replace(STOP, "")
    return [*found, Piece(rest)] if rest else found
