"""Stacks for tests: the first one of a run is made like any other, the rest are copies of it that start in a second.

Making a database, provisioning OpenBao and migrating take seconds, and processes that share the tests each need a
stack, some of them several.  So one process makes the pattern, the others wait for it, and everybody copies it.  How a
stack comes about on a fresh machine is tested where that matters, in `tests/local` and `tests/e2e`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.deployer import fingerprint
from local.folders import Folders, write_private
from local.openbao import OpenBao
from local.ports import LOOPBACK
from local.postgres import DATABASE
from local.stack import Stack
from tests.asked import asked_of_one_server_only
from vault.client import connect
from vault.engines import Database, _connect_engine
from vault.names import Names

PLACE = "PYTEST_STACK_PATTERN"  # the folder that all processes of a run share; in the environment they inherit
STATE, TOKEN, LOCK = "state", "token", "lock"
# What the tests write need not survive a power cut.
HASTE = "fsync = off\nfull_page_writes = off\n"
POLICY = 'path "database/config/scriptorium" { capabilities = ["create", "update"] }'


class CopiedOpenBao(OpenBao):
    """Writes its audit log beside the others', because OpenBao does not start when that file is another than before."""

    kept_at: Path

    @property
    def audit_log(self) -> Path:
        return self.kept_at


class Copy(Stack):
    """A stack over a copied state, on ports of its own: its OpenBao is told where its PostgreSQL is."""

    def __init__(self, state: Path, pattern: Path, token: str) -> None:
        super().__init__(state)
        self._openbao = CopiedOpenBao(self.folders)
        self._openbao.kept_at = OpenBao(Folders(pattern)).audit_log
        self._token = token

    def _provision(self) -> None:
        port = self.servers.ports["postgres"]
        _connect_engine(connect(self.servers.vault_address, self._token), Names(), Database(LOOPBACK, port, DATABASE))
        write_private(self.deployer._marker, fingerprint(f"{port} {self._valkey.password_hash}"))
        super()._provision()


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """A running stack with the application's tables over an empty or new folder, which is gone afterwards."""
    place = os.environ.get(PLACE)
    stack = Stack(folder) if place is None else _copied(Path(place), folder)
    try:
        stack.start()
        stack.migrate()
        yield stack
        assert asked_of_one_server_only(stack) == []
    finally:
        stack.stop()
        shutil.rmtree(folder)


def _copied(place: Path, folder: Path) -> Copy:
    with (place / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / TOKEN).exists():
            _make(place)
    folder.mkdir(mode=0o711, exist_ok=True)
    subprocess.run(["cp", "-a", f"{place / STATE}/.", folder], check=True)
    (folder / "ports.json").unlink()
    return Copy(folder, place / STATE, (place / TOKEN).read_text())


def _make(place: Path) -> None:
    """Make the pattern; the token, which comes last, says that it is whole."""
    state = place / STATE
    stack = Stack(state)
    stack.start()
    try:
        stack.migrate()
        stack._move_openbao(owner_door=True)
        with stack.deployer._root() as root:
            root.sys.create_or_update_policy("tests", POLICY)
            given = root.auth.token.create(policies=["tests"], no_parent=True, ttl="4h")
    finally:
        stack.stop()
    with (stack.folders.postgres / "postgresql.conf").open("a") as settings:
        settings.write(HASTE)
    write_private(place / TOKEN, given["auth"]["client_token"])


def pytest_configure(config: pytest.Config) -> None:
    """Offer a place for the pattern when several processes share the tests."""
    if config.getoption("numprocesses", None) and PLACE not in os.environ:
        place = Path(tempfile.mkdtemp(prefix="sp-"))
        place.chmod(0o711)  # PostgreSQL's user passes through under root
        os.environ[PLACE] = str(place)
        config.add_cleanup(lambda: shutil.rmtree(place))
