"""The doorstep of a container that needs a secret-id: it asks for one, waits for it, and becomes the application.

    python -m compose.handover scriptorium-app -- scriptorium serve

The folder between this and `compose.orchestrate` lies in memory.  Each container has a place of its own in it, named by
its host name, so replicas never reach for the same secret-id, which opens only once.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = Path("/run/handover")
SECRET_ID, ROLE_ID = "secret-id", "role-id"
PATIENCE_SECONDS: Final = 120.0
UNAVAILABLE, USAGE = 69, 64


def ask(folder: Path, role: str, name: str) -> Path:
    """Ask for a fresh secret-id; returns where it will lie.  One left over from an earlier start is not trusted."""
    place = folder / role / name
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / SECRET_ID).unlink(missing_ok=True)
    return place / SECRET_ID


def await_delivery(folder: Path, role: str, place: Path, patience: float = PATIENCE_SECONDS) -> Mapping[str, str]:
    """Return the settings by which the application finds its identity; raises TimeoutError."""
    role_id = folder / role / ROLE_ID
    deadline = time.monotonic() + patience
    while not (place.exists() and role_id.exists()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing was delivered to {place} within {patience:.0f} s; is the orchestrator up?")
        time.sleep(0.1)
    return {
        "SCRIPTORIUM_VAULT_ROLE_ID": role_id.read_text("utf-8").strip(),
        "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(place),
    }


def main(argv: Sequence[str]) -> int:
    """Wait for the delivery and replace this process by the command; 69 when nothing was delivered."""
    match argv:
        case [role, "--", *command] if command:
            return _become(role, command)
    sys.stderr.write("usage: python -m compose.handover ROLE -- COMMAND ...\n")
    return USAGE


def _become(role: str, command: list[str]) -> int:
    try:
        settings = await_delivery(FOLDER, role, ask(FOLDER, role, socket.gethostname()))
    except TimeoutError as error:
        sys.stderr.write(f"handover: {error}\n")
        return UNAVAILABLE
    return os.execvpe(command[0], command, {**os.environ, **settings})  # noqa: S606  # our own compose file's command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
