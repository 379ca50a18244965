"""One worker in a process of its own that watches itself: how long its loop was kept busy at a stretch."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import cast

import uvicorn
import uvloop
from uvicorn._types import ASGIApplication

from app.factory import create_app
from app.settings import Settings
from app.supervisor.options import uvicorn_options

TICK = 0.002


def serve(settings: Settings, line: Connection) -> None:
    """Serve until told to stop.  Each word from the other end is answered with the longest stretch since the last."""
    application = cast(ASGIApplication, create_app(settings))
    config = uvicorn.Config(application, host="127.0.0.1", port=settings.port, **uvicorn_options(settings))
    server = uvicorn.Server(config)
    uvloop.run(_serve(server, line))


async def _serve(server: uvicorn.Server, line: Connection) -> None:
    worst = 0.0

    async def watch() -> None:
        # Processor time of this thread, not the clock's: other processes must not be taken for our fault.
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(TICK)
            worst = max(worst, time.thread_time() - before)

    async def answer() -> None:
        nonlocal worst
        with suppress(EOFError):
            while await asyncio.to_thread(line.recv) != "stop":
                line.send(worst)
                worst = 0.0
        server.should_exit = True

    tasks = [asyncio.create_task(work()) for work in (watch, answer)]
    await server.serve()
    for task in tasks:
        task.cancel()
