"""Tags: a few words each by which texts are found again, written the same way by everybody.

"Book  History" and "book-history" are one tag: what is kept is also what stands in addresses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from app.errors import Invalid
from app.web.slugs import words_in_address

MOST: Final = 10
LONGEST: Final = 40
LINE: Final = 600
"""Characters of a line of tags as it is typed."""
_ALSO: Final = "+#."  # as in c++, c#, 2.0
_BETWEEN: Final = re.compile("[,;\u060c\u3001\uff0c\uff1b\n]")  # also those of Arabic and Chinese

Tags = Annotated[list[Annotated[str, Meta(max_length=LONGEST)]], Meta(max_length=MOST)]
TagLine = Annotated[str, Meta(max_length=LINE)]
TagWanted = Annotated[str, Meta(max_length=LONGEST)]


def tag(typed: str) -> str:
    """A tag as it is kept; empty when there is neither letter nor digit in what was typed."""
    words = words_in_address(unicodedata.normalize("NFKC", typed[: 4 * LONGEST]), also=_ALSO)
    words = words.lstrip("#.+-").rstrip(".-")
    return words if any(unicodedata.category(character)[0] in "LN" for character in words) else ""


def tags(typed: Iterable[str]) -> list[str]:
    """Tags as they are kept, each once, in the order they were given; raises Invalid."""
    found: dict[str, None] = {}
    for text in typed:
        made = tag(text)
        if not made:
            raise Invalid({"tags": [f"“{text.strip()[:LONGEST]}” holds no letter and no digit."]})
        if len(made) > LONGEST:
            raise Invalid({"tags": [f"A tag has at most {LONGEST} characters; “{made[:LONGEST]}…” has more."]})
        found[made] = None
    if len(found) > MOST:
        raise Invalid({"tags": [f"A text has at most {MOST} tags."]})
    return list(found)


def wanted(typed: str) -> str:
    """The tag somebody asks for, empty when they ask for none; raises Invalid for what is no tag."""
    made = tag(typed)
    if typed and not made:
        raise Invalid({"tag": ["A tag holds letters or digits."]})
    return made


def in_line(line: str) -> list[str]:
    """The tags of one line of a form, as they were typed between commas."""
    return [part for part in _BETWEEN.split(line) if part.strip()]


def as_line(kept: Sequence[str]) -> str:
    """Tags as a form shows them."""
    return ", ".join(kept)
