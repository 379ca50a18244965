"""Loopback ports: chosen free, remembered in the state, chosen again when a stranger has taken one."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from local.errors import StackError
from local.folders import write_private

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections, so that none of them sits on ours.
FIRST, LAST = 20_000, 32_000


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on this port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


class Ports:
    """The ports of one state, by server name, kept in a small file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._ports: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            self._ports = {}

    def __getitem__(self, name: str) -> int:
        return self._ports[name]

    def settle(self, name: str) -> int:
        """Return the remembered port if it is free, else a new one, remembered from now on."""
        port = self._ports.get(name)
        return port if port is not None and is_free(port) else self.choose(name)

    def choose(self, name: str) -> int:
        """Choose and remember a new free port."""
        taken = set(self._ports.values())
        for _ in range(200):
            port = FIRST + secrets.randbelow(LAST - FIRST)
            if port not in taken and is_free(port):
                self._ports[name] = port
                write_private(self._file, json.dumps(self._ports))
                return port
        raise StackError(f"No free port between {FIRST} and {LAST} was found on {LOOPBACK}.")
