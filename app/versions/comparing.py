"""Two texts side by side: which lines are the same, and within those that are not, which words.

Lines are matched by patience diff, which follows the lines that occur once in both texts: people find its answers
readable, and no text makes it slow.  Words are matched within pairs of changed lines as long as a budget lasts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, Literal

import msgspec
from patiencediff import PatienceSequenceMatcher

AROUND: Final = 3
"""Lines shown before and after a change."""
SHOWN: Final = 400_000
"""Characters of changed and surrounding text in one comparison; what comes after is counted, not shown."""
_WORK: Final = 3_000_000
_LONGEST: Final = 600  # words of a line that are compared one by one
_IN_THREAD: Final = 20_000
# Scripts without spaces are compared character by character.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W\u3040-\u30ff\u3400-\u9fff]+|\s+|.")

Kind = Literal["same", "changed", "removed", "added", "skipped"]


class Piece(msgspec.Struct, frozen=True):
    """Some words of a line, and whether they are in this text only."""

    text: str
    changed: bool = False


class Row(msgspec.Struct, frozen=True):
    """One line of the comparison: what stands on either side, with its line number; `lines` counts those skipped."""

    kind: Kind
    before_line: int | None = None
    before: list[Piece] = []
    after_line: int | None = None
    after: list[Piece] = []
    lines: int = 1


class Comparison(msgspec.Struct, frozen=True):
    """The rows, how many lines came and went, and whether all of it is in the rows."""

    rows: list[Row]
    added: int
    removed: int
    complete: bool


async def compare(before: str, after: str) -> Comparison:
    """Compare two texts line by line."""
    if len(before) + len(after) < _IN_THREAD:
        return compare_now(before, after)
    return await asyncio.to_thread(compare_now, before, after)


def compare_now(before: str, after: str) -> Comparison:
    """As `compare`, at once; half a megabyte on either side takes some tenths of a second."""
    old, new = _lines(before), _lines(after)
    budget = _Budget()
    rows: list[Row] = []
    added = removed = 0
    opcodes: Sequence[tuple[str, int, int, int, int]] = PatienceSequenceMatcher(None, old, new).get_opcodes()
    for number, (kind, start, end, new_start, new_end) in enumerate(opcodes):
        if kind == "equal":
            rows += _same(old, start, end, new_start, first=number == 0, last=number == len(opcodes) - 1)
            continue
        removed, added = removed + end - start, added + new_end - new_start
        if budget.shown > 0:
            rows += _changed(old, new, (start, end), (new_start, new_end), budget)
    return Comparison(rows, added, removed, budget.shown > 0)


class _Budget:
    def __init__(self) -> None:
        self.work = _WORK
        self.shown = SHOWN


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    # A text that ends as texts do, with a line break, has no empty line after it.
    return lines[:-1] if lines[-1] == "" else lines


def _same(old: list[str], start: int, end: int, new_start: int, *, first: bool, last: bool) -> Iterator[Row]:
    head, tail = 0 if first else AROUND, 0 if last else AROUND
    hidden = end - start - head - tail
    for line in range(start, end):
        if hidden > 1 and head <= line - start < end - start - tail:
            if line - start == head:
                yield Row("skipped", line + 1, [], new_start + head + 1, [], hidden)
            continue
        piece = [Piece(old[line])]
        yield Row("same", line + 1, piece, new_start + line - start + 1, piece)


def _changed(
    old: list[str], new: list[str], there: tuple[int, int], here: tuple[int, int], budget: _Budget
) -> Iterator[Row]:
    for step in range(max(there[1] - there[0], here[1] - here[0])):
        if budget.shown <= 0:
            return
        line, new_line = there[0] + step, here[0] + step
        left = old[line] if line < there[1] else None
        right = new[new_line] if new_line < here[1] else None
        budget.shown -= len(left or "") + len(right or "") + 50
        if left is None:
            yield Row("added", None, [], new_line + 1, [Piece(right or "")])
        elif right is None:
            yield Row("removed", line + 1, [Piece(left)], None, [])
        else:
            before, after = _by_words(left, right, budget)
            yield Row("changed", line + 1, before, new_line + 1, after)


def _by_words(left: str, right: str, budget: _Budget) -> tuple[list[Piece], list[Piece]]:
    old, new = _WORDS.findall(left), _WORDS.findall(right)
    cost = len(old) * len(new)
    if cost > budget.work or max(len(old), len(new)) > _LONGEST:
        matcher: SequenceMatcher[str] = PatienceSequenceMatcher(None, old, new)
    else:
        budget.work -= cost
        matcher = SequenceMatcher(None, old, new, autojunk=False)
    before: list[Piece] = []
    after: list[Piece] = []
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if start < end:
            before.append(Piece("".join(old[start:end]), kind != "equal"))
        if new_start < new_end:
            after.append(Piece("".join(new[new_start:new_end]), kind != "equal"))
    return before, after
