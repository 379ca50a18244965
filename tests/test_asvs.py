"""Every row of ASVS we look at names tests that exist or says honestly why not, and the page says the same."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.asvs import BEGIN, END, PAGE, ROOT, VERDICTS, Row, rows, written

# How many rows of each chapter we look at, so that none gets lost.
CHAPTERS = {
    1: 18,
    2: 10,
    3: 21,
    4: 7,
    5: 6,
    6: 23,
    7: 13,
    8: 7,
    9: 6,
    10: 13,
    11: 8,
    12: 6,
    13: 9,
    14: 3,
    15: 10,
    16: 11,
}
LEVELS = {1: 70, 2: 83, 3: 18}
# The faults of docs/security.md that a test must hold, not a reason.
CONCERNED = {f"F{number}" for number in (15, 19, 21, 22, 23, 25, 31, 32, 33, 34, 35, 36, 38, 43, 45, 46, 47)}
ALL = [*rows("row"), *rows("fault")]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    made = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(node.name for node in made if node.name.startswith("test_"))


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and Path(path).name.startswith("test_") and name in names_in(path)


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.id)
def test_a_row_names_tests_or_a_reason(row: Row) -> None:
    assert row.tests or row.but
    assert [test for test in row.tests if not exists(test)] == []
    assert len(set(row.tests)) == len(row.tests)
    assert not row.but or row.but.startswith(VERDICTS), row.but
    assert row.tests or not row.but.startswith("Partly:"), "a part is held by something"
    assert not row.but.startswith("Not met yet:") or not row.tests
    assert row.words
    assert "|" not in row.words + row.but


def test_no_row_is_missing_or_there_twice() -> None:
    found = rows("row")
    assert [name for name, times in Counter(row.id for row in ALL).items() if times > 1] == []
    assert Counter(int(row.id.partition(".")[0]) for row in found) == CHAPTERS
    assert Counter(row.level for row in found) == LEVELS


def test_every_fault_of_the_wall_has_a_test() -> None:
    faults = {row.id: row for row in rows("fault")}
    assert faults.keys() >= CONCERNED
    assert [name for name in CONCERNED if not faults[name].tests] == []


def test_the_page_says_the_same() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert written(page) == page, "write it anew: python -m tests.asvs"


def test_what_is_not_built_is_not_claimed() -> None:
    """Rows that say so have no feature to point to; whoever builds it writes the row anew."""
    unmet = {row.id for row in ALL if row.but.startswith("Not met yet:")}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for row, sign in {"6.3.3": r"\btotp\b|webauthn|passkey", "6.4.3": r"def \w*reset_password|password_reset"}.items():
        built = bool(re.search(sign, source, re.IGNORECASE))
        assert built == (row not in unmet), f"{row} is built: name its tests" if built else f"{row} is not built"


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert exists("tests/test_asvs.py::test_a_row_names_tests_or_a_reason")
    assert not exists("tests/test_asvs.py::test_nothing_of_the_kind")
    assert not exists("tests/nowhere/test_asvs.py::test_a_row_names_tests_or_a_reason")
    assert not exists("tests/asvs.py::rows")
