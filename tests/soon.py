"""Waits for what takes effect a moment after its commit: workers hear of it by a notice (at most 250 ms, SPEC 2.C)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import httpx

# Much wider than the promise: these tests run beside others on a small machine, and the promise has tests of its own.
PATIENCE = 15.0


async def soon(ask: Callable[[], Awaitable[httpx.Response]], status: int) -> httpx.Response:
    """Ask until the answer has this status."""
    deadline = monotonic() + PATIENCE
    while (answer := await ask()).status_code != status:
        assert monotonic() < deadline, f"still {answer.status_code}, not {status}: {answer.text[:200]}"
        await asyncio.sleep(0.01)
    return answer
