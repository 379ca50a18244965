"""Keeps the figures of `make proof` in docs/proof.md, one section for each claim; the machine by cores and memory only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import psutil

REPORT = Path(__file__).resolve().parent.parent / "docs" / "proof.md"
HEAD = """# What `make proof` found

Figures of the full-length suites, written by the tests themselves when they pass; each section by its own run.
"""


def keep(claim: str, figures: str) -> None:
    """Put the figures under their claim, in place of what an earlier run found."""
    memory = round(psutil.virtual_memory().total / 1024**3)
    told = (
        f"\n## {claim}\n\n{figures}\n\nOn {psutil.cpu_count()} cores with {memory} GiB, {datetime.now(UTC):%d %B %Y}.\n"
    )
    text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else HEAD
    section = re.compile(rf"\n## {re.escape(claim)}\n.*?(?=\n## |\Z)", re.DOTALL)
    found = section.sub(lambda _: told, text) if section.search(text) else text + told
    REPORT.write_text(found, encoding="utf-8")
