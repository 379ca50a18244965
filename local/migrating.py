"""Runs the application's own migration command against a running stack."""

from __future__ import annotations

import hashlib
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.errors import StackError, StopAskedError
from local.processes import CHECKOUT, plain_environment, start

PATIENCE_SECONDS = 120.0


def migrations_digest() -> str:
    """Return what stands for all migrations as they are now."""
    digest = hashlib.sha256()
    for path in sorted((CHECKOUT / "alembic").rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def migrate(settings: Mapping[str, str], log: Path, cancelled: Callable[[], bool]) -> None:
    """Run `app.cli migrate` to its end.

    Raises StackError with its last words when it fails or takes too long, StopAskedError when asked to stop.
    """
    began = log.stat().st_size if log.exists() else 0
    child = start(
        "The migration",
        [sys.executable, "-m", "app.cli", "migrate"],
        environment=plain_environment(settings),
        log=log,
        folder=CHECKOUT,
        stop_signal=signal.SIGTERM,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while child.ended is None:
        if cancelled():
            child.stop()
            raise StopAskedError
        if time.monotonic() > deadline:
            child.stop()
            raise StackError(f"The migration took more than {PATIENCE_SECONDS:.0f} seconds; its log is {log}.")
        time.sleep(0.05)
    if child.ended:
        said = log.read_bytes()[began:].decode(errors="replace").strip().splitlines()
        raise StackError(f"The migration failed (log: {log}). {said[-1] if said else child.epitaph()}")
