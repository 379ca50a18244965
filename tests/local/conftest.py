"""One running stack for the tests of `local/` and `vault/`, and folders in which PostgreSQL's user can work."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hvac
import pytest

from local.stack import Stack
from vault.client import connect

SignIn = Callable[..., hvac.Client]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A folder of its own, not below pytest's: that one is closed to the user PostgreSQL runs as under root."""
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(state: Path) -> Iterator[Stack]:
    """A running stack."""
    stack = Stack(state)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture
def sign_in(stack: Stack) -> SignIn:
    """Sign in to OpenBao the way the application does."""

    def signed_in(role: str = "scriptorium-app") -> hvac.Client:
        client = connect(stack.deployer.address, stack.deployer.wrap_secret_id(role))
        secret_id = client.sys.unwrap()["data"]["secret_id"]
        client.token = None
        client.auth.approle.login(stack.deployer.role_id(role), secret_id)
        return client

    return signed_in
