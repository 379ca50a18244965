"""Serving with one worker: holder, socket and application in this very process."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import uvicorn
import uvloop

from app.errors import Unavailable
from app.factory import create_app
from app.settings import Settings
from app.supervisor.errors import ServeError
from app.supervisor.options import bind, uvicorn_options
from app.vault.broker import Broker
from app.vault.errors import VaultStartError


def serve_alone(settings: Settings) -> None:
    """Serve until told to stop; raises VaultStartError or ServeError when that cannot begin."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    broker = Broker(settings)
    loop = asyncio.get_running_loop()
    starting = loop.create_task(broker.start())
    # uvicorn takes these signals over while it serves, and sends them on to us when it has stopped.
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, starting.cancel)
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(_look_now(broker)))
    with suppress(asyncio.CancelledError):
        await starting
    if starting.cancelled():
        return
    try:
        application = create_app(settings, broker)
        sockets = bind(settings)
        server = uvicorn.Server(uvicorn.Config(application, **uvicorn_options(settings)))
        leaving = loop.create_task(_leave(broker, server))
        await server.serve(sockets)
        leaving.cancel()
        if broker.homeless.is_set():
            raise ServeError(
                VaultStartError.TRY_AGAIN, "the Vault token is dead and nobody delivered a fresh secret-id"
            )
    finally:
        await broker.stop()


async def _leave(broker: Broker, server: uvicorn.Server) -> None:
    await broker.homeless.wait()
    server.should_exit = True


async def _look_now(broker: Broker) -> None:
    with suppress(Unavailable):
        await broker.refresh("rings")
