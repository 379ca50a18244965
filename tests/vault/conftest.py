"""One running stack for the tests of the conversation with Vault, with its owner's door open."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hvac
import pytest

from app.settings import Settings
from local.stack import Stack
from vault.client import connect


@dataclass(frozen=True)
class House:
    """A stack as the tests need it: its servers, its owner, and a place for sockets and secret-ids."""

    stack: Stack
    place: Path

    @contextmanager
    def owner(self) -> Iterator[hvac.Client]:
        """Vault with all rights, for setting the scene."""
        with self.stack.deployer._root() as client:
            yield client

    def rotator(self) -> hvac.Client:
        return connect(self.stack.deployer.address, self.stack.deployer.token("rotator"))

    def reopen(self) -> None:
        """Restart Vault, which unseals itself."""
        self.stack._move_openbao(owner_door=True)

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        """Settings of an application of its own on this stack, with a fresh wrapped secret-id."""
        folder = self.place / name
        folder.mkdir(mode=0o700, exist_ok=True)
        secret_id = self.stack.wrap_secret_id(path=folder / "secret-id")
        mapping = self.stack.environment() | {
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(secret_id),
            "SCRIPTORIUM_VAULT_WAIT": "5",
            "SCRIPTORIUM_SECRETS_SOCKET": str(folder / "s"),
        }
        return mapping | {f"SCRIPTORIUM_{key.upper()}": value for key, value in changes.items()}

    def settings(self, name: str, **changes: str) -> Settings:
        return Settings.from_environment(self.environment(name, **changes))

    def logins(self) -> int:
        """How many logins of the application PostgreSQL knows, by Vault's leases."""
        with self.owner() as client:
            try:
                answer = client.sys.list_leases("database/creds/scriptorium-app")
            except hvac.exceptions.InvalidPath:
                return 0
        return len(answer["data"]["keys"])

    def rotate(self, name: str, value: dict[str, str], *, activate_after: str = "30", grace: str = "86400") -> None:
        """Write a new version of a secret, and how fast it turns."""
        kv = self.rotator().secrets.kv.v2
        kv.create_or_update_secret(f"scriptorium/{name}", value, mount_point="kv")
        self.pace(name, activate_after=activate_after, grace=grace)

    def pace(self, name: str, *, activate_after: str, grace: str = "86400") -> None:
        """How fast a secret turns, versions that are there already included."""
        pace = {"activate_after": activate_after, "grace": grace}
        kv = self.rotator().secrets.kv.v2
        kv.update_metadata(f"scriptorium/{name}", mount_point="kv", max_versions=20, custom_metadata=pace)

    @contextmanager
    def unhurried(self, names: Iterable[str]) -> Iterator[None]:
        """Let no version begin to sign by itself, whatever pace another test has left behind; put that back after."""
        kv = self.rotator().secrets.kv.v2
        paths = [f"scriptorium/{name}" for name in names]
        left = {path: kv.read_secret_metadata(path, mount_point="kv")["data"]["custom_metadata"] for path in paths}
        try:
            for path in paths:
                pace = (left[path] or {}) | {"activate_after": "24h"}
                kv.update_metadata(path, mount_point="kv", custom_metadata=pace)
            yield
        finally:
            for path, pace in left.items():
                kv.update_metadata(path, mount_point="kv", custom_metadata=pace or {})


async def soon(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is true: for long, because a busy machine takes its time and no promise is held here."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


@contextmanager
def open_house(prefix: str, *, migrated: bool) -> Iterator[House]:
    """A house of one's own for as long as this lasts; without tables nothing in it keeps a connection busy."""
    # Not below pytest's folder: that one is closed to the user PostgreSQL runs as under root.
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        folder = Path(name)
        folder.chmod(0o711)
        stack = Stack(folder / "state")  # not a copy: these tests look into what OpenBao has heard and given out
        try:
            stack.start()
            if migrated:
                stack.migrate()
            stack._move_openbao(owner_door=True)
            yield House(stack, Path(tempfile.mkdtemp(prefix=prefix, dir=folder)))
        finally:
            stack.stop()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with open_house("sv-", migrated=False) as house:
        yield house


@pytest.fixture
def said() -> list[str]:
    """What was said to the person at start."""
    return []
