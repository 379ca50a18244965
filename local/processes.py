"""Starting, stopping and recognising the processes of a stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.accounts import Account
from local.errors import StackError, StopAskedError

CHECKOUT = Path(__file__).resolve().parent.parent
GUARD = CHECKOUT / "local" / "guard.py"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")

# A child's life hangs on the thread that started it, not on the whole process (prctl(2)), so one thread that lives as
# long as we do starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


def plain_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the little of our environment that a child needs, so that what a developer has exported stays here."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, "PYTHONUNBUFFERED": "1", **kept, **(extra or {})}


@dataclass
class Child:
    """A running process of ours.  `stop_signal` asks it to end; after `patience` seconds it is killed."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None
    stop_signal: signal.Signals
    patience: float

    @property
    def pid(self) -> int:
        """The process id, also the id of its session."""
        return self.process.pid

    @property
    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal if it still runs."""
        if self.ended is None:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Ask, wait, and kill what does not listen, together with what it started."""
        self.ask_to_stop()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        end_session(self.pid)

    def epitaph(self) -> str:
        """Return one sentence on an end nobody asked for."""
        code = self.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        where = f"; its log is {self.log}" if self.log else ""
        return f"{self.name} ended by itself ({how}){where}."


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    patience: float = 15.0,
    folder: Path | None = None,
) -> Child:
    """Start a process in its own session, so that a Ctrl-C at the terminal reaches only us.

    It gets `stop_signal` when we die.  Output goes to `log`, or to our own output without one.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    guarded = [sys.executable, "-I", "-S", GUARD, int(stop_signal), os.getpid(), uid, gid, *command]
    output: IO[bytes] | None = _private_log(log) if log else None
    try:
        process = _starter.submit(
            subprocess.Popen,
            [str(word) for word in guarded],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=folder or "/",
            start_new_session=True,
        ).result()
    finally:
        if output:
            output.close()
    return Child(name, process, log, stop_signal, patience)


def end_session(session: int) -> None:
    """Kill whatever is left in the session of a process of ours that has ended."""
    try:
        os.killpg(session, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def wait_until(ready: Callable[[], bool], child: Child, cancelled: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait for a child to be of use.

    Raises StackError when it ends or takes too long, StopAskedError when asked to stop.
    """
    deadline = time.monotonic() + patience
    while not ready():
        if child.ended is not None:
            raise StackError(child.epitaph())
        if cancelled():
            raise StopAskedError
        if time.monotonic() > deadline:
            raise StackError(f"{child.name} was not ready within {patience:.0f} seconds; its log is {child.log}.")
        time.sleep(0.02)


def _private_log(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
