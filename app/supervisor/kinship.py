"""Children that end with their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def end_with_parent(parent: int, how: signal.Signals = signal.SIGTERM) -> None:
    """Let the kernel send us `how` once the process `parent` is gone, even if it was killed; Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we could ask
        signal.raise_signal(how)
