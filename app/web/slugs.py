"""Words as part of an address: in lower case, between dashes, in any script."""

from __future__ import annotations

import unicodedata


def words_in_address(text: str, *, also: str = "") -> str:
    """`text` as words between dashes; characters in `also` count as letters.

    Vowel signs and accents that are characters of their own (category M) belong to the word they stand in, which
    regular expressions do not know: without them no word in Hindi, Thai or Arabic with its points survives.
    """
    kept = [
        character if character in also or unicodedata.category(character)[0] in "LMN" else " "
        for character in text.lower()
    ]
    return "-".join("".join(kept).split())
