"""Makes what the servers need before any of them starts: certificates, first passwords, keys where they may be read.

Runs at each `up`, as root without a network and with three capabilities: every server is another user and may read its
own files only, and Docker hands over the operator's secrets with the owner they have on the host.  What is there stays.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compose.certificates import Pair, is_good, new_authority, new_server

ROOT, SECRETS = Path("/prepared"), Path("/run/secrets")
APPLICATION, PROXY, VALKEY, VAULT, POSTGRES = 10001, 10002, 10003, 10004, 999
SEAL_KEY_BYTES: Final = 32

# Limits expire by themselves; when memory runs out, those nearest to their end go first.
VALKEY_SETTINGS: Final = """\
port 0
tls-port 6379
tls-cert-file /run/private/certificate.pem
tls-key-file /run/private/key.pem
tls-ca-cert-file /run/private/ca.pem
tls-auth-clients no
save ""
appendonly no
dir /tmp
maxmemory 128mb
maxmemory-policy volatile-ttl
enable-debug-command no
enable-module-command no
"""

Give = Callable[[Path, int], None]


class PrepareError(Exception):
    """Something the operator has to bring is missing or wrong; the message says what."""


@dataclass(frozen=True)
class Server:
    """A server that is spoken to over TLS: its private folder, its user, the names it is called by."""

    folder: str
    owner: int
    hosts: tuple[str, ...]


SERVERS: Final = (
    Server("vault", VAULT, ("vault", "openbao", "localhost", "127.0.0.1")),
    Server("postgres", POSTGRES, ("postgres", "localhost", "127.0.0.1")),
    Server("valkey", VALKEY, ("valkey", "localhost", "127.0.0.1")),
)
# Volumes that begin empty and belong to whoever writes in them.
DATA: Final = {
    "vault-data": VAULT,
    "postgres-data": POSTGRES,
    "proxy-data": PROXY,
    "owner": APPLICATION,
    "identities": APPLICATION,
    "bootstrap": APPLICATION,
    "audit": APPLICATION,
    "files": APPLICATION,
}


@dataclass(frozen=True)
class Preparation:
    """Works below `root` with the operator's files in `brought`; `give` makes a file somebody's."""

    root: Path
    brought: Path
    give: Give

    def run(self) -> None:
        """Bring everything into place; raises PrepareError."""
        authority = self._authority()
        (self.root / "trust").chmod(0o755)
        self._write("trust", "ca.pem", authority.certificate, 0, 0o444)
        for server in SERVERS:
            self._serve(server, authority)
        self._passwords()
        self._hand_in("seal_key", "vault", "seal.key", VAULT)
        self._hand_in("unseal_keys", "bootstrap", "unseal.keys", APPLICATION)
        for folder, owner in DATA.items():
            self._close(folder, owner)
        for server in SERVERS:
            self._close(server.folder, server.owner)
        self._close("authority", 0)

    def _authority(self) -> Pair:
        folder = self.root / "authority"
        if not (folder / "ca.pem").exists():
            made = new_authority()
            self._write("authority", "ca.key", made.key, 0)
            self._write("authority", "ca.pem", made.certificate, 0)
        return Pair((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())

    def _serve(self, server: Server, authority: Pair) -> None:
        held = self.root / server.folder / "certificate.pem"
        if held.exists() and is_good(held.read_bytes(), authority.certificate):
            return
        pair = new_server(authority, server.hosts)
        self._write(server.folder, "ca.pem", authority.certificate, server.owner)
        self._write(server.folder, "key.pem", pair.key, server.owner)
        self._write(server.folder, "certificate.pem", pair.certificate, server.owner)

    def _passwords(self) -> None:
        """The manager's password serves until Vault replaces it; Valkey itself learns only the hash of its own."""
        if not (self.root / "postgres" / "manager.password").exists():
            manager = secrets.token_urlsafe(32).encode()
            self._write("bootstrap", "manager.password", manager, APPLICATION)
            self._write("postgres", "manager.password", manager, POSTGRES)
        if not (self.root / "valkey" / "valkey.conf").exists():
            password = secrets.token_urlsafe(32).encode()
            digest = hashlib.sha256(password).hexdigest()
            user = f"user default on sanitize-payload #{digest} ~* &* +@all -@admin +client\n"
            self._write("bootstrap", "valkey.password", password, APPLICATION)
            self._write("valkey", "valkey.conf", (VALKEY_SETTINGS + user).encode(), VALKEY)

    def _hand_in(self, brought: str, folder: str, name: str, owner: int) -> None:
        """Copy what the operator brought; an empty file says that this deployment has no use for it."""
        try:
            content = (self.brought / brought).read_bytes()
        except FileNotFoundError:
            raise PrepareError(f"the secret {brought} is not there; docs/operations.md says how to make it") from None
        if name == "seal.key" and len(content) not in (0, SEAL_KEY_BYTES):
            raise PrepareError(f"the secret {brought} has {len(content)} bytes; OpenBao wants {SEAL_KEY_BYTES}")
        if content:
            self._write(folder, name, content, owner, 0o400)

    def _write(self, folder: str, name: str, content: bytes, owner: int, mode: int = 0o400) -> None:
        """Put a file in place whole, readable by its owner alone unless told otherwise."""
        place = self.root / folder / name
        fresh = place.with_name(f".{name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        self.give(fresh, owner)
        fresh.replace(place)

    def _close(self, folder: str, owner: int) -> None:
        (self.root / folder).chmod(0o700)
        self.give(self.root / folder, owner)


def main() -> int:
    """Run as the first container of `docker compose up`; 0 when everything is in place."""
    os.umask(0o022)
    try:
        Preparation(ROOT, SECRETS, lambda path, owner: os.chown(path, owner, owner)).run()
    except (PrepareError, OSError) as error:
        sys.stderr.write(f"prepare: {error}\n")
        return 1
    sys.stdout.write("prepare: certificates, first passwords and keys are in place.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
