"""Everything turns, is revoked and is killed while people work; nobody is signed out and nothing is half done."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from app import rotation
from tests.secrets.scene import ALONE, check_writes, left_behind, pace, settings_of, under, used_everywhere, watching
from tests.vault.conftest import House
from tests.vault.test_serve import Serving, serving

CROWD = {"program": 3, "reader": 1, "writer": 2, "refresher": 1, "visitor": 1}


@pytest.fixture(scope="module")
def serve(house: House) -> Iterator[Serving]:
    pace(house, 2.0)
    with serving(house, "load", limit_scale="1000") as serve:
        yield serve


async def _turn(serve: Serving, rounds: int, pause: float) -> list[float]:
    """Rotate everything so often; how late after its activation each was in use everywhere."""
    late = []
    async with watching(serve) as tool:
        for _ in range(rounds):
            done = await rotation.rotate(settings_of(serve), rotation.order("all", emergency=False), None)
            assert done.workers == 2
            late.append(await used_everywhere(tool, done))
            await asyncio.sleep(pause)
    return late


async def test_every_secret_turns_and_nobody_notices(house: House, serve: Serving) -> None:
    async with under(serve) as load:
        async with load.going(**CROWD):
            late = await _turn(serve, rounds=2, pause=0.5)
        assert load.wrong() == {}
        assert max(late) < 5.0
        assert len(load.seen) > 50
        assert len({one.who for one in load.seen}) == len(CROWD)
        await check_writes(house, load)
    assert await left_behind(house) == ALONE


async def test_all_logins_revoked_in_the_middle_of_writes(house: House, serve: Serving) -> None:
    async with under(serve) as load:
        async with load.going(pause=0.0, writer=6, program=1):
            await asyncio.sleep(1.0)
            moment = time.time()
            await rotation.rotate(settings_of(serve), rotation.order("database", emergency=True), None)
            await asyncio.sleep(2.0)
        assert load.recovered_after(moment) < 5.0
        assert not load.doubted
        assert len(load.kept) > 20
        await check_writes(house, load)
    assert await left_behind(house) == ALONE


async def test_broker_and_workers_killed_under_load(house: House, serve: Serving) -> None:
    async with under(serve, keep_alive=False) as load:
        async with load.going(program=3, writer=1):
            (broker,) = serve.broker()
            os.kill(broker, signal.SIGKILL)
            await _until_back(serve, broker)
            killed = time.time()
            assert load.wrong() == {}
            worker = serve.workers()[0]
            os.kill(worker, signal.SIGKILL)
            await _until_back(serve, worker)
            back = time.time()
            await asyncio.sleep(0.5)
        # Only what was in the hands of the killed worker may break; what comes after that is served by the other.
        assert not [one for one in load.seen if one.status >= 500]
        assert not [one for one in load.seen if one.status == 0 and one.began > back]
        assert load.recovered_after(killed) < 5.0
        await check_writes(house, load)
    assert await left_behind(house) == ALONE


async def _until_back(serve: Serving, gone: int) -> None:
    """Wait until a killed process has a successor that is attached."""
    deadline = time.monotonic() + 20.0
    while gone in serve.broker() + serve.workers() or not serve.broker():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    async with watching(serve) as tool:
        while len((await tool.status())["workers"]) < 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
