"""The workers: uvicorn's own multi-process supervisor, which here also keeps the broker and never gives up lightly."""

from __future__ import annotations

import os
import socket
import time
from types import FrameType
from typing import Final

import structlog
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from app.supervisor import nursery
from app.supervisor.errors import SOFTWARE, ServeError
from app.supervisor.keeper import BrokerKeeper

LOOK: Final = 0.2  # seconds between two looks at the children
START_PATIENCE: Final = 60.0
SILENCE: Final = 10.0  # seconds after which a worker that does not answer counts as hung
SLOWEST_RESTART: Final = 3.0  # seconds; with the start itself, whoever dies again and again is back within 5
STEADY: Final = 10.0
OVERTIME: Final = 10.0  # seconds beyond the drain before a worker is killed
NOT_STARTED: Final = (OSError, EOFError)  # the loaded process has died; the next start loads another

_log = structlog.get_logger("scriptorium.supervisor")


class PromptServer(uvicorn.Server):
    """Ends at once when told to before it serves: it would otherwise first wait for everything a start needs."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:
            os._exit(0)  # nothing is served and nothing is held that the kernel does not close
        super().handle_exit(sig, frame)


class Worker(Process):
    """One worker process, which ends when the supervisor does."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        self._asked: float | None = None
        self._patience = START_PATIENCE
        super().__init__(config, sockets)
        self.process = nursery.a_child(config, self.target, sockets)  # type: ignore[assignment]  # uvicorn types it as a SpawnProcess

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = PromptServer(self.config)
        return self._server

    def well(self) -> bool:
        """Whether it runs and answers; asks and collects the answer later, without ever waiting for it.

        Waiting here would stop the replacement of everybody else: the pipe of a worker killed in between says nothing.
        """
        if not self.process.is_alive():
            return False
        at = time.monotonic()
        try:
            while self.parent_conn.poll(0):
                self.parent_conn.recv()
                self._asked, self._patience = None, SILENCE
            if self._asked is None:
                self.parent_conn.send(b"ping")
                self._asked = at
        except (OSError, EOFError):
            return False  # it died in the middle of a word
        return at - self._asked < self._patience

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        nursery.end_with_supervisor()
        super().target(sockets)


class Workers(Multiprocess):
    """Starts the workers, replaces those that die, and stops them before the broker."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], keeper: BrokerKeeper) -> None:
        super().__init__(config, sockets)
        self.processes: list[Worker] = []  # type: ignore[assignment]  # uvicorn's are of its own class
        self._keeper = keeper
        self._born = [0.0] * config.workers
        self._pauses = [0.0] * config.workers
        self._not_before = [0.0] * config.workers

    def serve(self) -> None:
        """Serve until told to stop; raises ServeError when no worker comes up at first."""
        try:
            self.init_processes()
            self._wait_for_all()
            while not self.should_exit.wait(LOOK):
                self.handle_signals()
                self._keeper.tend()
                self.keep_subprocess_alive()
        finally:
            self._end_all()

    def init_processes(self) -> None:
        for place in range(self.processes_num):
            try:
                self.processes.append(self._new(place))
            except NOT_STARTED as error:
                raise ServeError(SOFTWARE, f"a worker could not start ({type(error).__name__})") from None

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or hang, at once the first time, then with growing pauses."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.well():
                continue
            at = time.monotonic()
            if self._not_before[place] == 0.0:
                process.kill()
                process.join()
                self._put_off(place, at, steady=at - self._born[place] > STEADY)
                _log.warning("worker_died", pid=process.pid, code=process.exitcode, again_in=self._pauses[place])
            if at >= self._not_before[place]:
                try:
                    self.processes[place] = self._new(place)
                except NOT_STARTED as error:
                    self._put_off(place, at)  # the dead one keeps its place
                    again_in = self._pauses[place]
                    _log.warning("worker_not_started", reason=type(error).__name__, again_in=again_in)
                else:
                    self._not_before[place] = 0.0

    def handle_hup(self) -> None:
        self._keeper.look_now()

    def handle_quit(self) -> None:
        self.should_exit.set()

    def handle_ttin(self) -> None:
        """The number of workers is a setting; it does not change while serving."""

    def handle_ttou(self) -> None:
        """The number of workers is a setting; it does not change while serving."""

    def _put_off(self, place: int, at: float, *, steady: bool = False) -> None:
        pause = 0.0 if steady else min(SLOWEST_RESTART, max(0.1, self._pauses[place] * 2))
        self._pauses[place], self._not_before[place] = pause, at + pause

    def _new(self, place: int) -> Worker:
        self._born[place] = time.monotonic()
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        for process in self.processes:
            while not process.is_ready(timeout=1):
                self.handle_signals()
                if self.should_exit.is_set():
                    return
                if not process.process.is_alive():
                    if (process.exitcode or 0) < 0:
                        return  # killed, not failed: it is replaced like any other
                    raise ServeError(SOFTWARE, "a worker could not start; the lines above say why")
                if time.monotonic() > deadline:
                    raise ServeError(SOFTWARE, f"the workers were not ready within {START_PATIENCE:.0f} s")
                self._keeper.tend()
                time.sleep(0.02)
        _log.info("serving", workers=len(self.processes), host=self.config.host, port=self.config.port)

    def _end_all(self) -> None:
        self.should_exit.set()
        for process in self.processes:
            if process.process.is_alive():
                process.process.terminate()
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0) + OVERTIME
        for process in self.processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            if process.process.is_alive():
                _log.warning("worker_killed", pid=process.pid, reason="did not drain in time")
                process.process.kill()
                process.process.join()
