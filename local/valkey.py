"""Valkey from its wheel: shared limits in memory, a password known to Vault and kept here only as a hash."""

from __future__ import annotations

import hashlib
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from local.folders import Folders, write_private
from local.ports import LOOPBACK
from local.processes import Child, plain_environment, start
from local.wheels import valkey_program

# Limits expire by themselves; when memory runs out, those nearest to their end go first.
SETTINGS = f"""\
bind {LOOPBACK}
protected-mode yes
daemonize no
save ""
appendonly no
maxmemory 128mb
maxmemory-policy volatile-ttl
enable-debug-command no
enable-module-command no
"""


@dataclass
class Valkey:
    """One configuration and the server under it."""

    folders: Folders

    @property
    def _hash_file(self) -> Path:
        return self.folders.valkey / "password.sha256"

    @property
    def password_hash(self) -> str | None:
        """The hash of the password in force, or None before there is one."""
        return self._hash_file.read_text(encoding="utf-8") if self._hash_file.exists() else None

    def new_password(self) -> str:
        """Set a new password, in force at the next start, and return it for Vault to keep."""
        password = secrets.token_urlsafe(32)
        write_private(self._hash_file, hashlib.sha256(password.encode()).hexdigest())
        return password

    def start(self, port: int) -> Child:
        """Write the configuration for this port and start the server."""
        config = self.folders.valkey / "valkey.conf"
        user = f"user default on sanitize-payload #{self.password_hash} ~* &* +@all -@admin +client"
        write_private(config, f"{SETTINGS}port {port}\ndir {self.folders.valkey}\n{user}\n")
        return start(
            "Valkey",
            [valkey_program(), config],
            environment=plain_environment({"HOME": str(self.folders.valkey)}),
            log=self.folders.logs / "valkey.log",
        )


def answers(port: int) -> bool:
    """Tell whether Valkey is there; asking without the password is enough for that."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith((b"-NOAUTH", b"+PONG"))
    except OSError:
        return False
