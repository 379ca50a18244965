"""A stack of its own with the application's tables, whose Vault the tests may stop, seal and turn as they like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vault.conftest import House, open_house


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with open_house("ss-", migrated=True) as house:
        yield house
