"""A whole house as `make run` starts it: its own state and port, its own processes, and nothing shared with others."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from local.ports import is_free

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 240.0  # a first start on a machine that is busy with other tests
READY = "Scriptorium is ready:"
OWN_WORDS = ("PORT", "HOST", "WORKERS", "TLS")


def free_port() -> int:
    """A port nobody listens on, below those the house chooses its servers' from and those the kernel gives away."""
    while True:
        port = 18_000 + secrets.randbelow(2_000)
        if is_free(port):
            return port


class House:
    """One state folder and, while it is started, the runner over it.

    `choices` are variables as typed before make; `starts` is how many seconds each start took.
    """

    def __init__(self, **choices: str) -> None:
        # Not below pytest's own folder: that one is closed to the user PostgreSQL runs as under root, and too deep
        # for the names of sockets.
        self.place = Path(tempfile.mkdtemp(prefix="se-"))
        self.place.chmod(0o711)
        self.state = self.place / "state"
        self.port = free_port()
        self.choices = {"WORKERS": "2", **choices}
        self.starts: list[float] = []
        self._said = self.place / "said"
        self._runner: subprocess.Popen[bytes] | None = None
        self._known: set[psutil.Process] = set()

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"{'https' if self.choices.get('TLS') else 'http'}://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """Everything the runner has written on its terminal, over all starts."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    @property
    def terminal(self) -> Path:
        """The file `said` is read from."""
        return self._said

    @property
    def pid(self) -> int:
        """The process id of the runner, which is also the id of its group."""
        assert self._runner is not None
        return self._runner.pid

    @property
    def running(self) -> bool:
        """Whether the runner runs."""
        return self._runner is not None and self._runner.poll() is None

    def begin(self) -> subprocess.Popen[bytes]:
        """Start the runner and return at once."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in OWN_WORDS and not name.startswith(("SCRIPTORIUM_", "PYTEST_"))
        }
        chosen = {"SCRIPTORIUM_STATE": str(self.state), "PORT": str(self.port), **self.choices}
        with self._said.open("ab") as terminal:
            self._runner = subprocess.Popen(
                [sys.executable, "-m", "local", "run"],
                cwd=CHECKOUT,
                env={**kept, **chosen},
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
            )
        return self._runner

    def start(self) -> float:
        """Start and wait for the ready line; returns the seconds that took."""
        before = len(self.said) if self._said.exists() else 0
        began = time.monotonic()
        runner = self.begin()
        while READY not in self.said[before:]:
            assert runner.poll() is None, f"The house did not start:\n{self.said[before:]}"
            assert time.monotonic() - began < PATIENCE, f"The house was not ready in time:\n{self.said[before:]}"
            time.sleep(0.02)
        self.starts.append(time.monotonic() - began)
        self.processes()
        return self.starts[-1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the runner to end (SIGINT goes to its whole group, as Ctrl-C at a terminal does); returns its code."""
        assert self._runner is not None
        self.processes()
        if number == signal.SIGINT:
            os.killpg(self.pid, number)
        else:
            self._runner.send_signal(number)
        return self._runner.wait(90)

    def kill(self) -> None:
        """End the runner as the kernel does when memory is short: without a word."""
        assert self._runner is not None
        self.processes()
        self._runner.kill()
        self._runner.wait(10)

    def processes(self) -> set[psutil.Process]:
        """Every running process that belongs to this house: the runner's descendants and whoever works in its state."""
        found: set[psutil.Process] = set()
        if self.running:
            runner = psutil.Process(self.pid)
            found |= {runner, *runner.children(recursive=True)}
        found |= {process for process in psutil.process_iter() if self._works_here(process)}
        self._known |= found
        return {process for process in self._known if _runs(process)}

    def _works_here(self, process: psutil.Process) -> bool:
        try:
            words = " ".join(process.cmdline())
            return str(self.state) in (words + process.cwd()) or (
                process.environ().get("SCRIPTORIUM_STATE") == str(self.state) and process.pid != os.getpid()
            )
        except (psutil.Error, OSError):
            return False

    def left(self, patience: float = 20.0) -> list[str]:
        """What still runs of it, in words; waits for the last ones to be reaped."""
        deadline = time.monotonic() + patience
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return [f"{process.pid} {_words(process)}" for process in found]

    def demolish(self) -> None:
        """End whatever runs, by its id, and remove the state."""
        if self.running:
            self.stop()
        for process in self.processes():
            process.kill()
        shutil.rmtree(self.place)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or str(process.name())
    except psutil.NoSuchProcess:
        return "(gone meanwhile)"
