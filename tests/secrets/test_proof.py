"""At full length, by `make proof`: a minute of five hundred requests a second, twenty kills, and what is left of memory."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from app import rotation
from tests.secrets.scene import ALONE, check_writes, left_behind, pace, settings_of, under, used_everywhere, watching
from tests.secrets.test_under_load import _until_back
from tests.vault.conftest import House
from tests.vault.test_serve import Serving, serving

pytestmark = pytest.mark.proof
SECONDS, ROTATIONS, SWAPS, RATE = 60.0, 10, 5, 500
KILLS = 20
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def serve(house: House) -> Iterator[Serving]:
    pace(house, 3.0)
    with serving(house, "proof", limit_scale="10000") as serve:
        yield serve


def memory(serve: Serving) -> float:
    """Megabytes that broker and workers hold by themselves."""
    return sum(psutil.Process(pid).memory_info().rss for pid in serve.broker() + serve.workers()) / MEGABYTE


async def test_a_minute_of_rotations_under_load(house: House, serve: Serving) -> None:
    late, begun = [], time.monotonic()
    async with under(serve) as load, watching(serve) as tool:
        async with load.going(pause=36 / RATE, program=24, reader=4, writer=6, refresher=1, visitor=1):
            await asyncio.sleep(8.0)  # what grows with the first requests does not count
        before, load.seen[:] = memory(serve), []
        begun = time.monotonic()
        # Forty callers with the pause that makes five hundred requests a second together, if the machine can.
        async with load.going(pause=36 / RATE, program=24, reader=4, writer=6, refresher=1, visitor=1):
            for number in range(ROTATIONS):
                names = rotation.SECRETS if number % 2 else rotation.SECRETS[:-1]  # every second time the login, too
                done = await rotation.rotate(settings_of(serve), rotation.Order(names), None)
                late.append(await used_everywhere(tool, done))
                await asyncio.sleep(max(0.0, (number + 1) * SECONDS / ROTATIONS - (time.monotonic() - begun)))
        lasted = time.monotonic() - begun
        print(f"{len(load.seen) / lasted:.0f} requests/s, latest use after activation {max(late):.2f} s")  # noqa: T201
        assert load.wrong() == {}
        assert max(late) < 5.0
        assert sum(1 for number in range(ROTATIONS) if number % 2) == SWAPS
        await check_writes(house, load)
        assert await left_behind(house, 40.0) == ALONE
        assert memory(serve) - before < 20.0


async def test_twenty_kills_of_the_broker_and_of_each_worker(house: House, serve: Serving) -> None:
    async with under(serve, keep_alive=False) as load:
        async with load.going(pause=0.05, program=4, writer=2):
            for number in range(KILLS * 3):
                victims = serve.broker() if number % 3 == 0 else serve.workers()
                victim = victims[-1] if number % 3 == 2 else victims[0]
                killed = time.monotonic()
                os.kill(victim, signal.SIGKILL)
                await _until_back(serve, victim)
                assert time.monotonic() - killed < 10.0
                await asyncio.sleep(2.0)
        assert not [one for one in load.seen if one.status >= 500 or one.status in (401, 403)]
        await check_writes(house, load)
    assert await left_behind(house, 40.0) == ALONE
