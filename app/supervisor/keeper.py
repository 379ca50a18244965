"""Keeps the secret broker running: starts it first, brings it back when it dies, stops it last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

import structlog

from app.supervisor.errors import SOFTWARE, ServeError
from app.vault import inheritance
from app.vault.errors import VaultStartError

SLOWEST_RESTART: Final = 3.0  # seconds; with the start itself, whoever dies again and again is back within 5
STEADY: Final = 10.0  # seconds a broker must have lived for the next restart to be immediate again
LAST_WORDS: Final = 15.0  # seconds it gets to revoke lease and token

_log = structlog.get_logger("scriptorium.supervisor")


class BrokerKeeper:
    """The supervisor's view of the broker; holds its estate, never its secrets' meaning."""

    def __init__(self) -> None:
        self._estate = inheritance.make()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._not_before = 0.0
        self._pause = 0.0
        self._ready = -1  # where the broker says that it serves
        self._served = False

    def first_start(self) -> None:
        """Start the broker and wait until it serves; raises ServeError with its exit code when it gives up.

        How long it waits for Vault is its own affair (SCRIPTORIUM_VAULT_WAIT); it also says itself what is wrong.
        """
        process, ready = self._start()
        if not os.read(ready, 1):  # closed without a word: it has ended
            os.close(ready)
            raise ServeError(process.wait() or SOFTWARE, "")
        self._ready, self._served = ready, True

    def tend(self) -> None:
        """Bring back a broker that died; called often by the supervisor, never waits.

        Raises ServeError (75) when it died for want of a fresh secret-id twice: whoever started us must deliver one.
        """
        process = self._process
        if process is None or process.poll() is None:
            return
        at = time.monotonic()
        if self._not_before == 0.0:
            self._served = self._served or bool(os.read(self._ready, 1))
            if process.returncode == VaultStartError.TRY_AGAIN and not self._served:
                raise ServeError(VaultStartError.TRY_AGAIN, "")
            steady = at - self._started > STEADY
            self._pause = 0.0 if steady else min(SLOWEST_RESTART, max(0.2, self._pause * 2))
            self._not_before = at + self._pause
            _log.warning("broker_died", pid=process.pid, code=process.returncode, again_in=self._pause)
        if at >= self._not_before:
            self._not_before = 0.0
            os.close(self._ready)
            _, self._ready = self._start()
            self._served = False

    def look_now(self) -> None:
        """Let the broker look for rotated keys at once."""
        self._send(signal.SIGHUP)

    def stop(self) -> None:
        """Let the broker end its lease and token, and wait for it; one that does not is killed."""
        process = self._process
        if process is None:
            return
        self._send(signal.SIGTERM)
        try:
            process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _send(self, what: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(what)

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        """Start a broker; returns it with the reading end of the pipe on which it reports."""
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "app.supervisor.broker_process"]
        try:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and numbers of our own
                [*command, str(writing), str(self._estate), str(os.getpid())],
                pass_fds=(writing, self._estate),
                stdin=subprocess.DEVNULL,
            )
        finally:
            os.close(writing)
        self._process, self._started = process, time.monotonic()
        return process, reading
