"""What the press is given, apart from the press itself, which only benches load."""

from __future__ import annotations

from typing import Final

import msgspec

EDITION: Final = "1"
"""Goes up when paper comes to look different, so that nothing old is handed out."""


class Sheet(msgspec.Struct, frozen=True):
    """A text to be set: `people` are its authors, `lines` stand below the title, `at` is when it was saved (Unix seconds).

    `fonts` is a folder with more fonts than the machine has, or empty.
    """

    title: str
    body: str
    people: list[str]
    lines: list[str]
    at: int
    fonts: str = ""
