"""Where everything of one state lies on disk, and with which permissions."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.accounts import Account, can_reach
from local.errors import StackError

# sockaddr_un holds 108 bytes on Linux, 104 elsewhere, with the closing NUL.
LONGEST_SOCKET_PATH = 103
PRIVATE = 0o700


def write_private(path: Path, text: str) -> None:
    """Replace a file with text only its owner can read, at no moment readable by another or half written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


@dataclass(frozen=True)
class Folders:
    """The rooms of a state.  Every one is closed to other users; the house itself lets them pass only under root."""

    state: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data; the only room that may belong to another OS user."""
        return self.state / "postgres"

    @property
    def openbao(self) -> Path:
        """OpenBao's data, its seal key, its configuration and its audit log."""
        return self.state / "openbao"

    @property
    def valkey(self) -> Path:
        """Valkey's configuration; it keeps no data on disk."""
        return self.state / "valkey"

    @property
    def identities(self) -> Path:
        """What the deployer holds: role ids, its tokens, the owner's recovery key, wrapped secret-ids."""
        return self.state / "identities"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Sockets, as far as their names fit."""
        return self.state / "run"

    @property
    def tls(self) -> Path:
        """The local certificate authority and its certificate."""
        return self.state / "tls"

    @property
    def rooms(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.openbao, self.valkey, self.identities, self.logs, self.run, self.tls, self.postgres)

    def prepare(self, account: Account | None) -> None:
        """Make every room with its permissions.

        Raises StackError when PostgreSQL's user could not walk to its data.
        """
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            self._refuse_what_is_not_ours()
            self.state.chmod(0o700 if account is None else 0o711)
            for room in self.rooms:
                room.mkdir(mode=0o700, exist_ok=True)
                room.chmod(0o700)
        except OSError as error:
            raise StackError(
                f"The state cannot be kept in {self.state} ({error.strerror}); set SCRIPTORIUM_STATE to another folder."
            ) from error
        if account is not None:
            os.chown(self.postgres, account.uid, account.gid)
            if not can_reach(account, self.postgres):
                raise StackError(
                    f"PostgreSQL runs as user {account.name!r}, who cannot reach {self.state}; "
                    "set SCRIPTORIUM_STATE to a folder that every user may pass through, such as /var/tmp/scriptorium."
                )

    def _refuse_what_is_not_ours(self) -> None:
        """Its permissions are about to be changed, so it must be a state of ours or hold nothing yet."""
        if self.state.stat().st_uid != os.geteuid():
            raise StackError(f"{self.state} belongs to another user; set SCRIPTORIUM_STATE to a folder of your own.")
        found = {path.name for path in self.state.iterdir()}
        if found and not found & {room.name for room in self.rooms}:
            raise StackError(f"{self.state} holds other things; set SCRIPTORIUM_STATE to an empty or a new folder.")

    def socket(self, name: str) -> Path:
        """Return a path for a unix socket that fits into an address, in the state or in a private temporary folder."""
        inside = self.run / name
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]
        outside = private_folder(Path(tempfile.gettempdir()) / f"scriptorium-{os.getuid()}-{digest}")
        if len(os.fsencode(outside / name)) > LONGEST_SOCKET_PATH:
            # A checked private folder of ours in it, so what others may do in /tmp does not matter.
            outside = private_folder(Path("/tmp") / outside.name)  # noqa: S108 - made private, its owner checked  # nosec B108
        return outside / name


def private_folder(path: Path) -> Path:
    """Make a folder only we can enter, or accept it if it is exactly that; raises StackError when it is not ours."""
    path.mkdir(mode=PRIVATE, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != PRIVATE:
        raise StackError(
            f"{path} is not a private folder of ours; remove it or set SCRIPTORIUM_STATE to a shorter path."
        )
    return path
