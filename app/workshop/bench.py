"""What runs at a bench: `python -I -m app.workshop.bench KIND`, the task on standard input, the result on standard output.

The limits are set before anything else is loaded.  A task that cannot be done for its own sake (a damaged image, a
text too long) ends with `REFUSED` and one word on standard error; everything else that goes wrong is our fault.
"""

from __future__ import annotations

import os
import resource
import sys
from importlib import import_module
from typing import Final

REFUSED: Final = 3
TRADES: Final = {"image": "app.workshop.images", "paper": "app.workshop.paper", "book": "app.workshop.book"}


class Refused(Exception):
    """This task cannot be done; the word says why."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def main() -> int:
    """Limit this process, do the task named, and write the result."""
    kind, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    os.nice(19)
    # The trade's module names us `app.workshop.bench`, while we run as `__main__`: its Refused must be this one.
    sys.modules["app.workshop.bench"] = sys.modules[__name__]
    work = import_module(TRADES[kind]).work
    try:
        result: bytes = work(sys.stdin.buffer.read())
    except Refused as refused:
        sys.stderr.write(refused.word)
        return REFUSED
    except MemoryError:
        sys.stderr.write("memory")
        return REFUSED
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    code = main()
    # Nothing is left to be tidied up, and libraries take their time over it.
    os._exit(code)
