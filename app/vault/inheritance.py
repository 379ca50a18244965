"""The memory in which one broker leaves its estate to the next, apart from those who read it.

The supervisor makes it and hands it on; it need not load what brokers need.
"""

from __future__ import annotations

import os


def make() -> int:
    """A new, empty estate as a file descriptor to hand to child processes; in no file system (memfd_create(2))."""
    return os.memfd_create("scriptorium-estate", os.MFD_CLOEXEC)
