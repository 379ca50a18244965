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

from bench.house import Case, Cost, House

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
CONNECTIONS = 16


def measure(case: Case) -> Cost:
    """One round of one case."""
    before = _cpu(case.server)
    asked = {"url": case.url, "token": case.token, "method": case.method, "body": case.body}
    said = subprocess.run(
        [sys.executable, "-m", "bench.load", str(CONNECTIONS), str(SECONDS)],
        input=json.dumps(asked).encode() + b"\n",
        capture_output=True,
        check=True,
        timeout=SECONDS + 30,
    )
    found = json.loads(said.stdout)
    assert not found["bad"], f"{case.url} answered {found['bad']} errors"
    return Cost(
        (_cpu(case.server) - before) / found["answers"] * 1e6, found["answers"] / SECONDS, found["p50"], found["p99"]
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
                for name, case in house.cases.items():
                    costs[name].append(measure(case))
            memory = house.cases["Scriptorium: read one"].server.memory_info().rss / 2**20
            print(_table({name: case.against for name, case in house.cases.items()}, costs))
            print(f"memory of the worker after all this: {memory:.0f} MiB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _table(against: dict[str, str], costs: dict[str, list[Cost]]) -> str:
    """Medians over the rounds; the ratio to its peer is the median of the ratios within each round."""
    lines = [f"{'':30} {'CPU us':>8} {'x peer':>8} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8}"]
    for name, found in costs.items():
        cpu, rate, p50, p99 = (
            statistics.median(values) for values in zip(*(cost.row for cost in found[1:]), strict=True)
        )
        peers = costs[against[name]]
        ratio = statistics.median(cost.cpu / peer.cpu for cost, peer in zip(found[1:], peers[1:], strict=True))
        lines.append(f"{name:30} {cpu:8.0f} {ratio:8.2f} {rate:8.0f} {p50:8.1f} {p99:8.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
