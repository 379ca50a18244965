"""Passwords that guessers try first, told offline: a list of common ones, and the ways people make them longer.

Fifteen characters shut out nearly all of any list, so what is left to refuse is what people do to a short favourite to
reach that length: say it again, count up behind it, walk along the keyboard (NIST SP 800-63B-4 3.1.1.2, ASVS 6.2.4 and
6.2.12).  Nothing here asks anybody else, and nothing estimates: an estimator's search for substitutions takes seconds on
strings chosen for it, which would be a way to hold up everybody (docs/decisions/0022).
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module

_LISTS = "zxcvbn.frequency_lists"
_ROWS = (
    "1234567890",
    "0987654321",
    "qwertyuiopasdfghjklzxcvbnm",
    "mnbvcxzlkjhgfdsapoiuytrewq",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
)
_SHORT = 4  # a unit of so few characters is guessable whatever it is, said again and again
_LETTERS = re.compile(r"[^\W\d_]")


@cache
def common() -> frozenset[str]:
    """The 30,000 most common passwords of published breaches, in lower case.

    Read at the first new password rather than at start, and only this one of the package's lists is kept: together they
    would cost every worker 14 MB and every start a tenth of a second.
    """
    passwords: list[str] = import_module(_LISTS).FREQUENCY_LISTS["passwords"]
    kept = frozenset(word.casefold() for word in passwords)
    del sys.modules[_LISTS]
    return kept


def is_guessable(password: str) -> bool:
    """Whether this is a common password, or one made longer in a way that guessers know; takes microseconds."""
    folded = password.casefold()
    if folded in common() or _walks(folded):
        return True
    unit = _repeated(folded)
    if unit is not None:
        return len(unit) <= _SHORT or _favourite(unit)
    return _favourite(folded)


def _favourite(text: str) -> bool:
    """Whether a common password stands here, alone or between digits that count or repeat."""
    if text in common():
        return True
    letters = [found.start() for found in _LETTERS.finditer(text)]
    if not letters:
        return False
    begin, end = letters[0], letters[-1] + 1
    return text[begin:end] in common() and _padding(text[:begin]) and _padding(text[end:])


def _padding(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return not digits or _walks(digits) or len(set(digits)) == 1 or digits in common()


def _walks(text: str) -> bool:
    """Whether this walks along the alphabet, the digits, or the keyboard, around the end as often as it likes."""
    return any(text in row * (len(text) // len(row) + 2) for row in _ROWS)


def _repeated(text: str) -> str | None:
    """The shortest unit of which this is nothing but repetitions, the last perhaps cut short."""
    for length in range(1, len(text) // 2 + 1):
        unit = text[:length]
        if (unit * (len(text) // length + 1))[: len(text)] == text:
            return unit
    return None
