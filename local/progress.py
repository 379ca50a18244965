"""Says at the terminal what is being done and how long each step took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Protocol

from rich.console import Console


class Progress(Protocol):
    """Something that can be told about steps."""

    def step(self, doing: str, done: str) -> AbstractContextManager[None]:
        """Name what is being done; when it is done without an error, name that."""


class Silent:
    """Says nothing, for tests."""

    def step(self, doing: str, done: str) -> AbstractContextManager[None]:
        """Do nothing around the step."""
        del doing, done
        return nullcontext()


class Terminal:
    """A spinner while a step runs where there is a terminal, and one line with its seconds when it is done."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[None]:
        """Show the step."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{doing} …"):
                yield
        else:
            yield
        self.say(f"✓ {done} ({time.monotonic() - began:.1f} s)")

    def say(self, text: str, style: str = "") -> None:
        """Print one line.  A terminal that has gone away must not keep us from stopping in order."""
        with suppress(OSError):
            self._console.print(text, style=style, markup=False)
