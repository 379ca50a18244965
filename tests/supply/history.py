"""Secrets in the history: every line that was ever added, held against what secrets look like."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
# Forms by which well-known secrets are told apart from any other text, ours first.
FORMS: Final = {
    "a key or token of ours": r"\bscr_(?:rt_|cs_)?[A-Za-z0-9]{30,}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/]{20}",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "a token of Vault": r"\b(?:hvs|hvb|hvr|s)\.[A-Za-z0-9]{24,}\b",
    "a key of a cloud": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{35}\b",
    "a token of a code site": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|npm_[A-Za-z0-9]{36})",
    "a token of a package index": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "a token of a chat": r"\bxox[abprs]-[A-Za-z0-9-]{20,}",
    "credentials in an address": r"\b[a-z][a-z0-9+]*://[^\s/:@\"'<>{}$]{2,}:[^\s/:@\"'<>{}$]{6,}@(?![\w.-]*\.example\b)[\w.-]+",
    "a stored password": r"\$argon2id?\$v=\d+\$[^\s\"'{]{30,}\$[A-Za-z0-9+/]{20,}",
}
_PATTERNS: Final = {what: re.compile(form) for what, form in FORMS.items()}


def looks_like(line: str) -> str | None:
    """What a line seems to hold, or None."""
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(line)), None)


def git(*words: str) -> str:
    """What git says in this checkout."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def added_lines() -> Iterator[tuple[str, str]]:
    """Every line that any commit of this history added, with the commit and file it came with."""
    where = commit = ""
    # Locks hold nothing but hashes, by the hundred thousand; `local/locks.py` looks at them.
    shown = git(
        "log",
        "-p",
        "-U0",
        "--no-color",
        "--no-ext-diff",
        "--format=commit %h",
        "--",
        ".",
        ":!requirements/*.txt",
    )
    for line in shown.splitlines():
        if line.startswith("commit "):
            commit = line[7:]
        elif line.startswith("+++ "):
            where = f"{commit} {line[6:]}"
        elif line.startswith("+"):
            yield where, line[1:]
