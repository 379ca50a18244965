"""What was typed into the search as PostgreSQL understands it, and marked excerpts as pages may show them."""

from __future__ import annotations

import re
from typing import Any, Final

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
_SIGN: Final = re.compile(r"[*`~_]")


def words_of(typed: str) -> list[str]:
    """The words somebody looks for, at most ten."""
    return [word.lower() for word in _WORD.findall(typed)][:MOST_WORDS]


def tsquery(words: list[str]) -> str:
    """All of the words, the longer ones by their beginnings, for `to_tsquery('simple', ...)`."""
    return " & ".join(f"'{word}'" + (":*" if len(word) >= _PREFIX else "") for word in words)


def as_typed(words: list[str]) -> dict[str, Any]:
    """What a search is given of words: all of them, all of them just as they are, any of them, and each."""
    whole = " & ".join(f"'{word}'" for word in words)
    return {"words": tsquery(words), "whole": whole, "any": tsquery(words).replace(" & ", " | "), "sought": words}


def as_meant(alike: list[list[str]]) -> dict[str, Any]:
    """The same where for each word there are several that may be meant by it."""
    quoted = [[f"'{_quoted(word)}'" for word in words] for words in alike]
    whole = " & ".join("(" + " | ".join(words) + ")" for words in quoted)
    sought = [word for words in alike for word in words]
    return {
        "words": whole,
        "whole": whole,
        "any": " | ".join(word for words in quoted for word in words),
        "sought": sought,
    }


def _quoted(word: str) -> str:
    """A word that the database once took out of a title, which may be an address with signs in it."""
    return word.replace("\\", "\\\\").replace("'", "''")


def without_signs(marked: str) -> str:
    """An excerpt of Markdown as it reads on a page: the words of links, headings and lists, and no sign around them."""
    bare = _BEGINNING.sub("", _LINK.sub(r"\1", marked))
    return _AROUND.sub("", bare) if _SIGN.search(bare) else bare  # most have none, and looking around takes its time


def pieces(marked: str) -> list[Piece]:
    """An excerpt between marks as words that are hits and words that are not."""
    found: list[Piece] = []
    at = 0
    marked = without_signs(marked).strip()
    for hit in _MARKED.finditer(marked):
        if hit.start() > at:
            found.append(Piece(marked[at : hit.start()]))
        found.append(Piece(hit.group(1), True))
        at = hit.end()
    rest = marked[at:].replace(START, "").replace(STOP, "")
    return [*found, Piece(rest)] if rest else found
