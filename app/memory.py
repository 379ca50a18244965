"""How this process deals with memory: large blocks go back to the system the moment they are let go."""

from __future__ import annotations

import ctypes
from typing import Final

LARGE: Final = 256 * 1024
_M_TRIM_THRESHOLD: Final = -1  # as malloc.h of the GNU C library numbers them
_M_MMAP_THRESHOLD: Final = -3
_KEPT_READY: Final = 4 * 1024 * 1024


def return_large_blocks() -> bool:
    """Give every block of at least `LARGE` bytes a mapping of its own; returns whether the C library can be told so.

    The GNU C library raises this bound by itself, to the largest block it ever saw freed: after one text of 5 MiB the next
    ones lie among small objects, and what is freed there comes back to the system late or never (docs/decisions/0035).
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(tell(_M_MMAP_THRESHOLD, LARGE)) and bool(tell(_M_TRIM_THRESHOLD, _KEPT_READY))
