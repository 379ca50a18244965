"""The supervisor of the workers: one that cannot be started is tried again, as the loaded process may just have died."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
import uvicorn

from app.supervisor import workers as module
from app.supervisor.errors import SOFTWARE, ServeError
from app.supervisor.keeper import BrokerKeeper
from app.supervisor.workers import Workers

BROKEN = (EOFError(), ConnectionRefusedError(), BrokenPipeError())


class Planned:
    """A worker whose start ends as planned, in turn."""

    plan: ClassVar[deque[Exception | None]] = deque()

    def __init__(self, *_: object) -> None:
        self.alive = False
        self.pid: int | None = None
        self.exitcode = -9
        self.process = SimpleNamespace(is_alive=lambda: self.alive, terminate=self.kill, join=lambda _: None)

    def start(self) -> None:
        ends = self.plan.popleft() if self.plan else None
        if ends is not None:
            raise ends
        self.alive, self.pid = True, 7

    def well(self) -> bool:
        return self.alive

    def kill(self) -> None:
        assert self.pid is not None, "it was never started"
        self.alive = False

    def join(self) -> None:
        assert self.pid is not None, "it was never started"


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setattr(module, "Worker", Planned)
    return Workers(uvicorn.Config("nobody:app", workers=2), [], cast(BrokerKeeper, None))


def test_one_that_cannot_be_started_is_tried_again_after_growing_pauses(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: moment))
    Planned.plan = deque()
    workers.init_processes()
    dead, other = cast(Any, workers.processes)
    dead.alive = False
    Planned.plan = deque(BROKEN)
    tried = []
    while dead in workers.processes:
        left = len(Planned.plan)
        workers.keep_subprocess_alive()
        if len(Planned.plan) < left:
            tried.append(round(moment - 100.0, 2))
        moment += 0.05
    assert tried == pytest.approx([0.1, 0.3, 0.7], abs=0.11)
    assert all(process.well() for process in workers.processes)
    assert workers.processes[1] is other


def test_when_none_can_be_started_at_first_nothing_is_served_and_those_started_are_ended(workers: Workers) -> None:
    Planned.plan = deque([None, BROKEN[0]])
    with pytest.raises(ServeError) as refused:
        workers.serve()
    assert refused.value.exit_code == SOFTWARE
    assert [process.well() for process in workers.processes] == [False]
