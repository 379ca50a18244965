"""One house for all tests of this folder, a browser, and the people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from local.chromium import find
from tests.e2e.browser import Visitors, chromium, visitors
from tests.e2e.house import House
from tests.e2e.manuscript import sample
from tests.e2e.people import Cast, Programs, Secrets, engage

HERE = Path(__file__).parent
LAST = "test_no_secret_leaks.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look for leaks when all else of this folder has been done."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    ours.sort(key=lambda item: item.path.name == LAST)
    places = [number for number, item in enumerate(items) if item.path.is_relative_to(HERE)]
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A running house with two workers: generous for people and programs, strict as ever for wrong passwords."""
    house = House(
        SCRIPTORIUM_LIMIT_SCALE="100",
        SCRIPTORIUM_METRICS_NETWORKS="127.0.0.1/32",
        SCRIPTORIUM_LIMIT_SIGN_IN="5/minute",
        SCRIPTORIUM_LIMIT_SIGN_IN_ADDRESS="50/minute",
    )
    try:
        house.start()
        yield house
        assert house.stop() == 0
        assert house.left() == []
    finally:
        house.demolish()


@pytest.fixture(scope="session")
def known() -> Secrets:
    """Every secret the tests have had in their hands."""
    return Secrets()


@pytest.fixture(scope="session")
async def programs(house: House, known: Secrets) -> AsyncIterator[Programs]:
    """Somebody who calls the JSON API."""
    caller = Programs(house, known)
    yield caller
    await caller.http.aclose()


@pytest.fixture(scope="session")
async def cast(programs: Programs) -> Cast:
    """People of every kind, a document under way and an entry."""
    return await engage(programs, sample())


@pytest.fixture(scope="session")
def chromium_program() -> Path:
    """Where Chromium is."""
    program = find()
    assert program is not None, "no Chromium: `python -m local.chromium` says how to get one"
    return program


@pytest.fixture(scope="session")
async def browser(chromium_program: Path) -> AsyncIterator[Browser]:
    """One browser for all."""
    async with chromium(chromium_program) as browser:
        yield browser


@pytest.fixture
async def come(browser: Browser, house: House, known: Secrets) -> AsyncIterator[Visitors]:
    """Let a visitor into the house: `await come()`, with `dark=True` or a `width` if it matters."""
    async with visitors(browser, house.url, known) as come:
        yield come
