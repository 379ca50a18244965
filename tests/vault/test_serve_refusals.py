"""`scriptorium serve` when Vault cannot give it what it needs: exit code and sentence, without a secret in it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.vault.conftest import House
from vault.client import connect


@contextmanager
def away(_house: House) -> Iterator[None]:
    """Nobody listens where Vault is said to be."""
    yield


@contextmanager
def stopped(house: House) -> Iterator[None]:
    """Vault's process has ended."""
    house.stack.servers._children["openbao"].stop()
    try:
        yield
    finally:
        house.reopen()


@contextmanager
def sealed(house: House) -> Iterator[None]:
    """Vault runs and has forgotten its key."""
    with house.owner() as owner:
        owner.sys.seal()
        owner.auth.token.revoke_self = lambda: None  # a sealed server cannot be told
    try:
        yield
    finally:
        house.reopen()


@contextmanager
def without_the_path(house: House) -> Iterator[None]:
    """One of the keys was never written."""
    with house.owner() as owner:
        kv = owner.secrets.kv.v2
        kv.delete_metadata_and_all_versions("scriptorium/csrf", mount_point="kv")
    try:
        yield
    finally:
        house.rotate("csrf", {"key": secrets.token_urlsafe(32)})


@contextmanager
def used(house: House) -> Iterator[None]:
    """Somebody on the way has opened what was delivered."""
    connect(house.stack.deployer.address, delivered(house).read_text().strip()).sys.unwrap()
    yield


@contextmanager
def nonsense(house: House) -> Iterator[None]:
    """What was delivered is no secret-id at all."""
    delivered(house).write_text("spent")
    yield


def delivered(house: House) -> Path:
    return house.place / NAME / "secret-id"


NAME = "refused"
NOBODY = "http://127.0.0.1:9"
Scene = Callable[[House], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("scene", "changes", "code", "words"),
    [
        (stopped, {}, 69, "is not reachable; gave up after 1 s"),
        (away, {"vault_addr": NOBODY, "workers": "1"}, 69, "is not reachable; gave up after 1 s"),
        (sealed, {}, 69, "is sealed; gave up after 1 s"),
        (without_the_path, {}, 78, "kv/scriptorium/csrf does not exist"),
        (used, {}, 77, "possible interception"),
        (nonsense, {}, 77, "possible interception"),
    ],
    ids=["stopped", "away-from-one-process", "sealed", "without-the-path", "used", "nonsense"],
)
def test_serving_ends_with_its_exit_code_and_one_sentence(
    house: House, scene: Scene, changes: dict[str, str], code: int, words: str
) -> None:
    # The secret-id is delivered while all is well; what goes wrong, goes wrong before the start.
    settings = house.environment(NAME, vault_wait="1", **changes)
    hidden = delivered(house).read_text().strip()
    with scene(house):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "serve"],
            env={"PATH": os.environ["PATH"], **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert words in last
    assert settings["SCRIPTORIUM_VAULT_ADDR"] in last or "scriptorium/csrf" in last or str(delivered(house)) in last
    assert "Traceback" not in done.stderr
    assert hidden not in done.stdout + done.stderr
    assert not Path(settings["SCRIPTORIUM_SECRETS_SOCKET"]).exists()
