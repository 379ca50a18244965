"""The words spoken on the broker's private socket: one JSON object per line, in both directions.

From the broker: `snapshot` (on attaching and after every change), `answer` (to a numbered request), `beat`.
To the broker: `hello` (what attaches), `report` (which snapshot is in use, which logins are let go), `ask`.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from app.vault.errors import VaultStartError

Role = Literal["worker", "tool"]

LINE_LIMIT: Final = 4 * 1024 * 1024  # bytes; a snapshot with a hundred versions of every key is far below
BEAT_EVERY: Final = 5.0
SILENCE: Final = 3 * BEAT_EVERY  # seconds after which the other side counts as hung
PATH_LIMIT: Final = 107  # bytes a Unix socket address holds on Linux


def line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parse(data: bytes) -> dict[str, Any]:
    """One message; raises ValueError or KeyError for anything that is not a JSON object with a kind."""
    message = dict(json.loads(data))
    message["kind"] = str(message["kind"])
    return message


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process id and user id of the other end, as the kernel knows them (unix(7), SO_PEERCRED)."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


def listen(path: Path) -> socket.socket:
    """A listening socket only this user can reach; raises VaultStartError when the place is taken or unusable."""
    if len(os.fsencode(path)) > PATH_LIMIT:
        raise VaultStartError(
            VaultStartError.MISCONFIGURED,
            f"{path} is too long for a socket ({PATH_LIMIT} bytes); set SCRIPTORIUM_SECRETS_SOCKET to a shorter path",
        )
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(path)
        server.bind(str(path))
        path.chmod(0o600)  # before listening, so that nobody slips in
        server.listen(128)
    except OSError as error:
        server.close()
        raise VaultStartError(
            VaultStartError.MISCONFIGURED,
            f"no socket can be made at {path}: {error.strerror or error}",
        ) from None
    except VaultStartError:
        server.close()
        raise
    server.setblocking(False)
    return server


def _clear(path: Path) -> None:
    """Remove what a killed process left; a living one is not pushed aside."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise VaultStartError(
        VaultStartError.MISCONFIGURED,
        f"another Scriptorium already serves {path}; set SCRIPTORIUM_STATE or SCRIPTORIUM_SECRETS_SOCKET elsewhere",
    )
