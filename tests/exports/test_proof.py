"""By `make proof`: fifty files to be made at once do not hold up those who only read."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

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
    """Readers that fetch a document again and again, in a process of their own."""

    def __init__(self, house: House, path: str, token: str) -> None:
        self._command = [sys.executable, "-m", "tests.exports.reading", house.url + path, str(READERS), str(PAUSE)]
        self._token = token

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=CHECKOUT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        await self._say(self._token)

    async def p99(self) -> float:
        """The 99th percentile since it was asked last."""
        assert self._process.stdout is not None
        await self._say("")
        said = json.loads(await self._process.stdout.readline())
        assert said["count"] >= READERS, said
        return float(said["p99"])

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await self._process.wait() == 0

    async def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()


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
    await reading.start()
    try:
        await asyncio.sleep(2.0)
        await reading.p99()  # what is loaded on first use does not count
        await asyncio.sleep(QUIET)
        before = await reading.p99()
        began = time.perf_counter()
        done = await asked_for(house, [f"/api/v1/documents/{each}/export.pdf" for each in ids], token)
        lasted = time.perf_counter() - began
        during = await reading.p99()
    finally:
        await reading.stop()
        await programs.http.aclose()
    print(  # noqa: T201 - `make proof` reads it
        f"\n{EXPORTS} exports in {lasted:.0f} s ({sum(refused for refused, _ in done)} times told to come again): "
        f"p99 of reading {before * 1000:.1f} ms before, {during * 1000:.1f} ms meanwhile"
    )
    assert all(size > 10_000 for _, size in done)
    assert during - before <= MOST
