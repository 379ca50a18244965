"""Runs the application and its peers in turns on the same core and prints what a request costs each of them.

Server on core 0, load generator and database on core 1, rounds interleaved so that a busy moment hits all alike.  The
figure that counts is the server's CPU time per answered request, and its ratio to the floor of the same run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from bench.house import Cost, House

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
CONNECTIONS = 16


def measure(server: psutil.Process, url: str, token: str) -> Cost:
    """One round against one server."""
    before = _cpu(server)
    said = subprocess.run(
        [sys.executable, "-m", "bench.load", url, str(CONNECTIONS), str(SECONDS)],
        input=token.encode() + b"\n",
        capture_output=True,
        check=True,
        timeout=SECONDS + 30,
    )
    found = json.loads(said.stdout)
    assert not found["bad"], f"{url} answered {found['bad']} errors"
    return Cost(
        (_cpu(server) - before) / found["answers"] * 1e6, found["answers"] / SECONDS, found["p50"], found["p99"]
    )


def _cpu(server: psutil.Process) -> float:
    return sum(sum(part.cpu_times()[:2]) for part in (server, *server.children(recursive=True)))


def main() -> None:
    """Measure everything and print the table."""
    folder = Path(tempfile.mkdtemp(prefix="sbench-"))
    try:
        with House(folder) as house:
            costs: dict[str, list[Cost]] = {name: [] for name in house.cases}
            for _ in range(ROUNDS + 1):
                for name, (server, url) in house.cases.items():
                    costs[name].append(measure(server, url, house.token))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    floor = statistics.median(cost.cpu for cost in costs["floor"][1:])
    print(f"{'read one document of 2 KB':28} {'CPU us':>8} {'x floor':>8} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for name, found in costs.items():
        middle = [statistics.median(values) for values in zip(*(cost.row for cost in found[1:]), strict=True)]
        cpu, rate, p50, p99 = middle
        print(f"{name:28} {cpu:8.0f} {cpu / floor:8.2f} {rate:8.0f} {p50:8.1f} {p99:8.1f}")


if __name__ == "__main__":
    main()
