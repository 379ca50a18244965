"""How the person who starts something is spoken to; apart from `app.vault.startup`, which the supervisor need not load."""

from __future__ import annotations

import sys


def to_standard_error(line: str) -> None:
    """The default voice at start: one line for the person or the log collector watching."""
    sys.stderr.write(f"scriptorium: {line}\n")
    sys.stderr.flush()
