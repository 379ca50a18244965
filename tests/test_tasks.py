"""Background tasks end, whatever becomes of the first cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from app import tasks


async def _once_more(started: asyncio.Event) -> None:
    """As a library that takes a cancellation for its own timeout."""
    with suppress(asyncio.CancelledError):
        started.set()
        await asyncio.sleep(3600)
    await asyncio.sleep(3600)


async def test_a_lost_cancellation_is_said_again() -> None:
    started = asyncio.Event()
    deaf, usual = asyncio.create_task(_once_more(started)), asyncio.create_task(asyncio.sleep(3600))
    await started.wait()
    await asyncio.wait_for(tasks.end(deaf, usual), 10)
    assert deaf.cancelled()
    assert usual.cancelled()


async def test_what_has_ended_or_failed_holds_up_nobody() -> None:
    async def fails() -> None:
        raise ValueError

    failed, done = asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(0))
    await asyncio.wait({failed, done})
    await asyncio.wait_for(tasks.end(failed, done), 1)
    assert isinstance(failed.exception(), ValueError)
    await tasks.end()
