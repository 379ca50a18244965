"""Types are checked as a test, so that the seconds this takes are spent while other tests wait for their servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def test_the_types_are_right() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
