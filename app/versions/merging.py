"""Putting two people's changes together: a three-way merge over the version both began with, conflicts marked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from merge3 import Merge3
from patiencediff import PatienceSequenceMatcher

MINE: Final = "<<<<<<< yours"
BETWEEN: Final = "======="
THEIRS: Final = ">>>>>>> saved by somebody else"


@dataclass(frozen=True, slots=True)
class Merged:
    """The proposal: a text, and how many places in it hold both versions between marks."""

    text: str
    conflicts: int


async def merge(base: str, mine: str, theirs: str) -> Merged:
    """Put both changes into one text; where both changed the same lines, both stand there between marks."""
    return await asyncio.to_thread(merge_now, base, mine, theirs)


def merge_now(base: str, mine: str, theirs: str) -> Merged:
    """As `merge`, at once."""
    parts = [text.split("\n") for text in (base, mine, theirs)]
    matcher: Any = PatienceSequenceMatcher
    merger: Any = Merge3(parts[0], parts[1], parts[2], sequence_matcher=matcher)
    lines: list[str] = []
    conflicts = 0
    for region in merger.reprocess_merge_regions(merger.merge_regions()):
        kind = region[0]
        if kind == "conflict":
            conflicts += 1
            mine_start, mine_end, theirs_start, theirs_end = region[3:7]
            lines += [MINE, *parts[1][mine_start:mine_end], BETWEEN, *parts[2][theirs_start:theirs_end], THEIRS]
        else:
            source = {"unchanged": 0, "a": 1, "same": 1, "b": 2}[kind]
            lines += parts[source][region[1] : region[2]]
    return Merged("\n".join(lines), conflicts)


def merge_line(base: str, mine: str, theirs: str) -> tuple[str, bool]:
    """The same for a line such as a title: what to propose, and whether both changed it."""
    if mine in (base, theirs):
        return theirs, False
    return mine, theirs != base


def has_marks(text: str) -> bool:
    """Whether a text still holds the marks of a conflict."""
    return any(line in (MINE, THEIRS) for line in text.split("\n"))
