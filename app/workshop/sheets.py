"""What the press is given, apart from the press itself, which only benches load: a text, and the pictures in it.

A task is bytes: how long the sheet is (eight of them), the sheet in JSON, then the pictures it names, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.web.file_paths import PICTURE_IN_TEXT

EDITION: Final = "2"
"""Goes up when paper comes to look different, so that nothing old is handed out."""
MOST_PICTURES: Final = 40
"""Pictures one file holds; a picture shown twice counts once."""
PICTURE_BYTES: Final = 24 * 1024 * 1024
"""Bytes the pictures of one file take together."""
LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType({
    "missing": "it is not among the files of this text",
    "many": f"a file like this holds {MOST_PICTURES} pictures",
    "large": "the pictures together are too large for a file like this",
    "damaged": "it cannot be shown",
    "late": "it could not be made ready in time",
})  # fmt: skip
"""Why a description stands in the place of a picture, in words for readers."""

_LENGTH: Final = 8


class Plate(msgspec.Struct, frozen=True):
    """A picture a text shows: its address there, and its bytes' number; or, without bytes, why it is left out."""

    address: str
    size: int = 0
    why: str = ""


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
    pictures: list[Plate] = []


def picture_address(url: str) -> str | None:
    """The address in the one way we write it, if it is that of an attached picture."""
    return url.lower() if PICTURE_IN_TEXT.fullmatch(url) else None


def opened_by(sheet: Sheet) -> bytes:
    """How the task for this sheet begins; the bytes of its pictures follow."""
    text = msgspec.json.encode(sheet)
    return len(text).to_bytes(_LENGTH) + text


def unpacked(task: bytes) -> tuple[Sheet, dict[str, bytes]]:
    """The sheet of a task, and its pictures by their addresses; raises ValueError when bytes are missing."""
    start = _LENGTH + int.from_bytes(task[:_LENGTH])
    sheet = msgspec.json.decode(task[_LENGTH:start], type=Sheet)
    pictures: dict[str, bytes] = {}
    for plate in sheet.pictures:
        if plate.size:
            pictures[plate.address] = task[start : start + plate.size]
            start += plate.size
    if start != len(task):
        raise ValueError("a task that was cut off")
    return sheet, pictures


def described(alt: str, why: str) -> str:
    """What stands in the place of a picture that is left out."""
    return f"[Image: {alt or 'without a description'} (left out: {LEFT_OUT[why]})]"
