"""Benches work when nobody else does, whatever the system takes for "else"."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


def gives_way(number: int, policy: int) -> bool:
    """Alone, put aside at once if `policy` says so, and as a session, where Linux shares the processors out among those."""
    group = Path(f"/proc/{number}/autogroup")
    alone = os.getpriority(os.PRIO_PROCESS, number) == 19 and os.sched_getscheduler(number) == policy
    return alone and (not group.exists() or group.read_text().endswith("nice 19\n"))


@pytest.mark.parametrize(("kind", "policy"), [("paper", os.SCHED_IDLE), ("image", os.SCHED_OTHER)])
def test_a_bench_gives_way(tmp_path: Path, kind: str, policy: int) -> None:
    """While it still waits for its task."""
    command = [sys.executable, "-I", "-m", "app.workshop.bench", kind, "10", str(2**30)]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, start_new_session=True) as bench:
        try:
            deadline = time.monotonic() + 20
            while not gives_way(bench.pid, policy):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            bench.kill()
