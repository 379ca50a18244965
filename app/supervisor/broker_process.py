"""The secret broker as a process: `python -m app.supervisor.broker_process <ready> <estate> <parent>`.

`ready` is a pipe it writes to once snapshots are served, `estate` the memory a killed predecessor left its token in.
Neither they nor the environment carry a secret on the way in.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Final

from app.errors import Unavailable
from app.settings import Settings
from app.supervisor.kinship import end_with_parent
from app.vault.broker import Broker
from app.vault.errors import VaultStartError
from app.vault.estate import Estate
from app.vault.voice import to_standard_error
from app.web import logs

TAKING_OVER: Final = 8.0  # seconds


def main() -> int:
    ready, estate, parent = (int(argument) for argument in sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody at once; we are told when it is our turn
    end_with_parent(parent)
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    try:
        return asyncio.run(_hold(settings, ready, Estate(estate)))
    except VaultStartError as error:
        to_standard_error(error.message)
        return error.exit_code


async def _hold(settings: Settings, ready: int, estate: Estate) -> int:
    broker = Broker(settings, estate=estate)
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    starting, waiting = loop.create_task(broker.start()), loop.create_task(told.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done() and broker.inherits:
        # Told to stop while taking over: only after that can the token that was left to us be ended.
        await asyncio.wait({starting}, timeout=TAKING_OVER)
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return 0
    await starting
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(_look_now(broker)))
    with suppress(BrokenPipeError):  # after a restart nobody waits at the other end
        os.write(ready, b"1")
    os.close(ready)
    homeless = loop.create_task(broker.homeless.wait())
    await asyncio.wait({waiting, homeless}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        to_standard_error("the Vault token is dead and nobody delivered a fresh secret-id; starting again")
        return VaultStartError.TRY_AGAIN
    await broker.server.left_alone(settings.drain + 5)  # workers that drain still need their login
    await broker.stop()
    return 0


async def _look_now(broker: Broker) -> None:
    with suppress(Unavailable):
        await broker.refresh("rings")


if __name__ == "__main__":
    sys.exit(main())
