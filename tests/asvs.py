"""The table of ASVS rows and faults in docs/security.md, written from tests/asvs.toml: `python -m tests.asvs`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "tests" / "asvs.toml"
PAGE: Final = ROOT / "docs" / "security.md"
BEGIN: Final = "<!-- written by python -m tests.asvs from tests/asvs.toml -->"
END: Final = "<!-- as far as here -->"
VERDICTS: Final = ("Partly:", "Not met yet:", "Does not apply:", "By hand:")


@dataclass(frozen=True)
class Row:
    """One requirement or fault: the tests that hold it, or what is to be said where they do not."""

    id: str
    words: str
    group: str
    tests: tuple[str, ...]
    but: str
    level: int = 0

    @property
    def held_by(self) -> str:
        """The last column."""
        named = ", ".join(f"`{test}`" for test in self.tests)
        return " ".join(part for part in (self.but, named) if part)


def rows(kind: str) -> list[Row]:
    """All rows of one kind, `row` or `fault`, in their order."""
    told = tomllib.loads(SOURCE.read_text(encoding="utf-8"))[kind]
    return [
        Row(
            one["id"],
            one["words"],
            one.get("group", ""),
            tuple(one.get("tests", ())),
            one.get("but", ""),
            one.get("level", 0),
        )
        for one in told
    ]


def table() -> str:
    """Both tables as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    found, faults = rows("row"), rows("fault")
    yield _count(found)
    group = ""
    for row in found:
        if row.group != group:
            group = row.group
            yield from ("", f"### {group}", "", "| row | level | what it asks | held by |", "|---|---|---|---|")
        yield f"| {row.id} | {row.level} | {row.words} | {row.held_by} |"
    yield from (
        "",
        "### Faults and attacks",
        "",
        _count(faults),
        "",
        "| fault | what happens | held by |",
        "|---|---|---|",
    )
    for row in faults:
        yield f"| {row.id} | {row.words} | {row.held_by} |"


def _count(found: list[Row]) -> str:
    said = {verdict: sum(1 for row in found if row.but.startswith(verdict)) for verdict in VERDICTS}
    whole = len(found) - sum(said.values())
    rest = ", ".join(f"{number} {verdict.rstrip(':').lower()}" for verdict, number in said.items() if number)
    return f"{len(found)} rows: {whole} held by tests, {rest}."


def written(page: str) -> str:
    """A page with the table of today in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    """Write the table into its page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
