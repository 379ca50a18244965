"""Takes a state away, and nothing that is not part of one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from local.folders import Folders
from local.lock import InstanceLock
from local.progress import Terminal
from local.strays import end_strays

LOCK = "runner.lock"
APPLICATION = ("audit", "attachments", "exports")  # what the application itself keeps in the state
FILES = ("migrated", "ports.json", "processes.json", "postgres.prepared", "instance.json", ".initdb", LOCK)


def reset(state: Path, terminal: Terminal, *, sure: bool) -> int:
    """Remove everything a run has put into `state`, after asking; 0 when it is gone, 1 when it stays.

    Raises StackError while something runs on it.
    """
    if not (state / LOCK).exists():
        terminal.say(f"There is no state in {state}.")
        return 0
    lock = InstanceLock(state / LOCK)
    lock.take()
    try:
        if not (sure or _agrees(state)):
            terminal.say("Nothing was removed.")
            return 1
        end_strays(state / "processes.json", state)
        _remove(state)
    finally:
        lock.release()
    terminal.say(f"The state in {state} is removed.")
    return 0


def _agrees(state: Path) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("Nobody is there to be asked; YES=1 removes without asking.\n")
        return False
    answer = input(f"Remove all people, documents and keys in {state}? Type yes: ")
    return answer.strip().lower() == "yes"


def _remove(state: Path) -> None:
    folders = Folders(state)
    socket_folder = folders.socket("secrets.sock").parent
    for room in (
        *folders.rooms,
        state / "postgres.new",
        state / "programs",
        socket_folder,
        *(state / name for name in APPLICATION),
    ):
        shutil.rmtree(room, ignore_errors=True)
    for name in FILES:
        (state / name).unlink(missing_ok=True)
    if not any(state.iterdir()):
        state.rmdir()
