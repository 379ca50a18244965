"""Refuses a lock file that names an address or misses a hash: `python -m local.locks`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from local.processes import CHECKOUT

ADDRESS = re.compile(r"https?:|file:|--find-links|--index-url|--extra-index-url|^-[fie]\b", re.MULTILINE)
PIN = re.compile(r"^[A-Za-z0-9].*", re.MULTILINE)


def complaints(lock: Path) -> list[str]:
    """Return what is wrong with one lock file."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    found = [f"{lock.name} names an address: {match.group()}" for match in ADDRESS.finditer(text)]
    pins = [match.group() for match in PIN.finditer(text)]
    found += [f"{lock.name} has no hash for {pin.split()[0]}" for pin in pins if "--hash=sha256:" not in pin]
    return found or ([] if pins else [f"{lock.name} is empty"])


def locks() -> list[Path]:
    """Return every lock file of this checkout."""
    return sorted((CHECKOUT / "requirements").glob("*.txt"))


def main() -> int:
    """Check every lock; 0 when all are fit to be committed."""
    found = [complaint for lock in locks() for complaint in complaints(lock)]
    sys.stderr.writelines(f"{complaint}\n" for complaint in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
