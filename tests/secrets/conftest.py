"""A stack of its own with the application's tables, whose Vault the tests may stop, seal and turn as they like."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.vault.conftest import House


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    # Not below pytest's folder: that one is closed to the user PostgreSQL runs as under root.
    folder = Path(tempfile.mkdtemp(prefix="ss-"))
    folder.chmod(0o711)
    stack = Stack(folder / "state")
    try:
        stack.start()
        stack.migrate()
        stack._move_openbao(owner_door=True)
        yield House(stack, Path(tempfile.mkdtemp(prefix="ss-", dir=folder)))
    finally:
        stack.stop()
        shutil.rmtree(folder)
