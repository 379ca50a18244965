"""OpenBao from its wheel: persistent, unsealing itself with a key that lies next to it and is readable by us alone."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path

from local.folders import Folders, write_private
from local.ports import LOOPBACK
from local.processes import Child, plain_environment, start
from local.wheels import openbao_program

TEMPLATE = Path(__file__).parent.parent / "vault" / "openbao" / "server.hcl"
ACTIVE, NOT_INITIALISED = 200, 501
AUDIT_LOG_BYTES = 16 * 1024 * 1024


@dataclass
class OpenBao:
    """One data folder and the server over it."""

    folders: Folders

    @property
    def data(self) -> Path:
        """Where raft keeps everything."""
        return self.folders.openbao / "data"

    @property
    def audit_log(self) -> Path:
        """Who asked what; values appear only as HMACs."""
        return self.folders.openbao / "audit.log"

    def start(self, port: int, cluster_port: int, *, owner_door: bool = False) -> Child:
        """Write the configuration for these ports and start the server.

        With `owner_door` it lets the holder of the recovery key make a root token, without anybody signing in first.
        """
        self.data.mkdir(mode=0o700, exist_ok=True)
        config = self.folders.openbao / "server.hcl"
        write_private(config, self._configuration(port, cluster_port, owner_door))
        return start(
            "OpenBao",
            [openbao_program(), "server", f"-config={config}"],
            environment=plain_environment({"HOME": str(self.folders.openbao)}),
            log=self.folders.logs / "openbao.log",
        )

    def _configuration(self, port: int, cluster_port: int, owner_door: bool) -> str:
        key_file = self._seal_key()
        values = {
            "address": f"http://{LOOPBACK}:{port}",
            "port": port,
            "cluster_port": cluster_port,
            "data": self.data,
            "key_id": hashlib.sha256(key_file.read_bytes()).hexdigest()[:16],
            "key_file": key_file,
            "audit": self.audit_log,
            "owner_door_shut": str(not owner_door).lower(),
        }
        text = TEMPLATE.read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        return text

    def _seal_key(self) -> Path:
        path = self.folders.openbao / "seal.key"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
                file.write(secrets.token_bytes(32))
            fresh.rename(path)
        return path

    def rotate_audit_log(self, child: Child) -> None:
        """Keep the audit log and one older part of it from growing without end."""
        if self.audit_log.exists() and self.audit_log.stat().st_size > AUDIT_LOG_BYTES:
            self.audit_log.rename(self.audit_log.with_suffix(".log.1"))
            child.process.send_signal(signal.SIGHUP)


def health(port: int) -> int | None:
    """Return the status of sys/health: 200 active, 501 not initialised, 503 sealed, None when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/v1/sys/health")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()
