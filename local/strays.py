"""What a killed runner left behind: its processes are remembered on disk and ended at the next start.

A process is only ever ended when its id, the tick it started at, this boot of the machine and its program all are
what was remembered, so a stranger who was given the same id is safe.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from local.folders import write_private
from local.processes import Child

PATIENCE_SECONDS = 15.0


def mark(pid: int) -> str:
    """Return what tells this process from every other that had or will have its id; "" when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return _portable_mark(pid)
    except ProcessLookupError:
        return ""
    return "" if fields[0] == "Z" else f"{boot}:{fields[19]}"


def _portable_mark(pid: int) -> str:
    try:
        return f"{psutil.boot_time():.0f}:{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


def _program(pid: int) -> str:
    try:
        return Path(psutil.Process(pid).exe()).name.removesuffix(" (deleted)")
    except psutil.Error:
        return ""


def remember(file: Path, children: Iterable[Child]) -> None:
    """Write down the running children, replacing what was remembered before."""
    records = [
        {"name": child.name, "pid": child.pid, "mark": mark(child.pid), "signal": int(child.stop_signal)}
        | {"program": _program(child.pid)}
        for child in children
    ]
    write_private(file, json.dumps(records))


def end_strays(file: Path, state: Path) -> list[str]:
    """End what is remembered and still runs, and what those programs had started; return the names of those ended."""
    try:
        records: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    strays = [record for record in records if _is_ours(record)]
    for record in strays:
        _signal(record["pid"], signal.Signals(record["signal"]))
    _wait_for(strays)
    for record in records:
        _end_orphans(int(record["pid"]), state)
    file.unlink(missing_ok=True)
    return [str(record["name"]) for record in strays]


def _is_ours(record: dict[str, Any]) -> bool:
    pid = int(record["pid"])
    # A start that was cut short remembers the interpreter which was about to become the server.
    programs = {record["program"], *_interpreters()}
    return bool(record["mark"]) and mark(pid) == record["mark"] and _program(pid) in programs


def _interpreters() -> set[str]:
    return {_program(os.getpid())} - {""}


def _wait_for(strays: list[dict[str, Any]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := [record for record in strays if _is_ours(record)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for record in left:
        _signal(record["pid"], signal.SIGKILL)
        while _is_ours(record):
            time.sleep(0.02)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _end_orphans(session: int, state: Path) -> None:
    """Kill workers whose supervisor is gone: members of its session that were started for this very state."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.environ().get("SCRIPTORIUM_STATE") == str(state):
                process.kill()
                process.wait(5)
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
