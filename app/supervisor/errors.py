"""Why serving could not begin, with the exit code that says so (sysexits.h where it has one)."""

from __future__ import annotations

from typing import Final

SOFTWARE: Final = 70  # a worker failed while starting
MISCONFIGURED: Final = 78
PORT_TAKEN: Final = 98  # the number of EADDRINUSE on Linux


class ServeError(Exception):
    """Serving cannot begin; `message` is one sentence for the person who started it."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
