"""Where workers come from: one process that has loaded the application and nothing else, and is copied for each.

Loading takes over a second of processor time.  Done once, before anybody waits for it, it is missing when the house
starts, and above all when a worker has died and the others carry its share (docs/decisions/0033).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from socket import socket
from typing import Final

import uvicorn
from uvicorn._subprocess import subprocess_started

from app.supervisor.kinship import end_with_parent

# By name: this process, the supervisor, need not load them.
_LOADED: Final = (
    "app.supervisor.loading",
    "app.main",
    "app.web.http_protocol",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.websockets.auto",
    "app.supervisor.loaded",
)
_FORKED: Final = multiprocessing.get_context("forkserver")


def prepare() -> None:
    """Begin to load the application in a process of its own; returns at once, and may be called again."""
    _FORKED.set_forkserver_preload(list(_LOADED))
    forkserver.ensure_running()


def abandon() -> None:
    """End the process that loads or has loaded: with loading it would go on for a second after our own end."""
    loaded: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # noqa: SLF001  # multiprocessing offers no public way to learn or end it
    if loaded is not None:
        with suppress(ProcessLookupError):
            os.kill(loaded, signal.SIGKILL)


def a_child(
    config: uvicorn.Config, target: Callable[[list[socket] | None], None], sockets: list[socket]
) -> ForkServerProcess:
    """A process, not yet started, that serves as uvicorn's own children do."""
    said = {"config": config, "target": target, "sockets": sockets, "stdin_fileno": None}
    return _FORKED.Process(target=subprocess_started, kwargs=said)


def end_with_supervisor() -> None:
    """In a worker: end when the supervisor does, and when the process does that tells it of our own end."""
    end_with_parent(os.getppid())
    threading.Thread(target=_outlive, name="supervisor-ends", daemon=True).start()


def _outlive() -> None:
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None, "workers are children"  # noqa: S101  # for the type checker  # nosec B101
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
