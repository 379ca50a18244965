"""By `make proof`: fifty files to be made at once do not hold up those who only read."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from math import ceil

import httpx
import pytest

from tests.e2e.house import CHECKOUT, House
from tests.e2e.manuscript import manuscript
from tests.e2e.people import Programs, Secrets, engage

pytestmark = pytest.mark.proof
EXPORTS, READERS, PAUSE, QUIET = 50, 8, 0.05, 10.0
MOST = 0.010  # seconds by which the 99th percentile of reading may grow


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two workers, and budgets and limits that do not stand in the way."""
    house = House(SCRIPTORIUM_LIMIT_SCALE="10000", SCRIPTORIUM_EXPORTS_SPONSOR="1000")
    try:
        house.start()
        yield house
        assert house.stop() == 0
    finally:
        house.demolish()


class Reading:
    """Readers that fetch a document again and again, each on a line of its own; `took` is how long each time."""

    def __init__(self, house: House, path: str, token: str) -> None:
        self._house, self._path, self._bearer = house, path, {"Authorization": f"Bearer {token}"}
        self.took: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def _read(self) -> None:
        async with httpx.AsyncClient(base_url=self._house.url, timeout=60, headers=self._bearer) as http:
            while True:
                began = time.perf_counter()
                answer = await http.get(self._path)
                self.took.append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
                await asyncio.sleep(PAUSE)

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._read()) for _ in range(READERS)]

    async def stop(self) -> None:
        for task in self._tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def p99(self) -> float:
        """The 99th percentile since it was asked last."""
        took, self.took = sorted(self.took), []
        return took[ceil(len(took) * 0.99) - 1]


async def asked_for(house: House, paths: list[str], token: str) -> list[tuple[int, int]]:
    """Have these files made at once, by a process of its own."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.exports.asking", house.url, *paths,
        cwd=CHECKOUT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await asking.communicate(token.encode())
    assert asking.returncode == 0
    return [(refused, size) for refused, size in json.loads(said)]


async def test_fifty_exports_do_not_hold_up_readers(house: House) -> None:
    programs = Programs(house, Secrets())
    people = await engage(programs, "# Ink\n")
    token = await programs.token(people.sponsor)
    texts = [{"title": f"Number {n}", "body": f"# {n}\n\n{manuscript()}"} for n in range(EXPORTS)]
    ids = [(await programs.ask("POST", "/api/v1/documents", token, json=text))["id"] for text in texts]
    reading = Reading(house, f"/api/v1/documents/{people.document_id}", token)
    reading.start()
    try:
        await asyncio.sleep(2.0)
        reading.p99()  # what is loaded on first use does not count
        await asyncio.sleep(QUIET)
        before = reading.p99()
        began = time.perf_counter()
        done = await asked_for(house, [f"/api/v1/documents/{each}/export.pdf" for each in ids], token)
        lasted = time.perf_counter() - began
        during = reading.p99()
    finally:
        await reading.stop()
        await programs.http.aclose()
    print(  # noqa: T201 - `make proof` reads it
        f"\n{EXPORTS} exports in {lasted:.0f} s ({sum(refused for refused, _ in done)} times told to come again): "
        f"p99 of reading {before * 1000:.1f} ms before, {during * 1000:.1f} ms meanwhile"
    )
    assert all(size > 10_000 for _, size in done)
    assert during - before <= MOST
