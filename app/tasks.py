"""Background tasks: how they are ended, for certain."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN: Final = 2.0  # seconds; less would cut off what some of them still do at their end


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these tasks and wait until they have ended; what they raised stays with them.

    One cancellation can get lost: a library that bounds a call by time may take it for its own timeout, and the task
    goes on as after any fault.  So whoever is still there a moment later is told again.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN)
