"""What runs at a bench: `python -I -m app.workshop.bench KIND`, the task on standard input, the result on standard output.

The limits are set before anything else is loaded.  A task that cannot be done for its own sake (a damaged image, a
text too long) ends with `REFUSED` and one word on standard error; everything else that goes wrong is our fault.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

REFUSED: Final = 3
TRADES: Final = {"image": "app.workshop.images", "paper": "app.workshop.paper", "book": "app.workshop.book"}


class Refused(Exception):
    """This task cannot be done; the word says why."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def _give_way(kind: str) -> None:
    """Work when nobody else does.

    A niced process is still let finish its slice of some milliseconds when a request wakes up, and a request wakes up
    several times; one of the idle class is put aside at once.  Somebody waits at their keyboard for a picture, so those
    are only niced.  Both count among the processes of one session only where Linux groups them so (`sched_autogroup`,
    sched(7)), as most systems do outside of containers: a bench has a session of its own, which gives way as a whole.
    """
    os.nice(19)
    with suppress(OSError):  # no such groups here
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")
    if kind != "image":
        with suppress(AttributeError, OSError):  # not Linux, or a sandbox that forbids it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> int:
    """Limit this process, do the task named, and write the result."""
    kind, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The first bound says in its signal that it was time; the kernel would leave it out if both were the same.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _give_way(kind)
    # The trade's module names us `app.workshop.bench`, while we run as `__main__`: its Refused must be this one.
    sys.modules["app.workshop.bench"] = sys.modules[__name__]
    work = import_module(TRADES[kind]).work
    try:
        result: bytes = work(sys.stdin.buffer.read())
    except Refused as refused:
        return _refuse(refused.word)
    except MemoryError:
        return _refuse("memory")
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    return 0


def _refuse(word: str) -> int:
    sys.stderr.write(word)
    sys.stderr.flush()  # the end below flushes nothing
    return REFUSED


if __name__ == "__main__":
    code = main()
    # Nothing is left to be tidied up, and libraries take their time over it.
    os._exit(code)
