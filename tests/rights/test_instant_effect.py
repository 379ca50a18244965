"""Out means out now: the time from a decision's commit to the last request that is let in, over all workers.

The short version here; `make proof` takes 200 suspensions on 4 workers and keeps its figures in docs/proof.md.  By
itself: `pytest -m proof tests/rights/test_instant_effect.py -k long`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from statistics import median_low

import asyncpg
import pytest

from app.settings import Settings
from app.vault.subscriber import Subscriber
from tests.e2e.house import House
from tests.figures import keep
from tests.rights.measure import Ended, Experiment, percentile

SHORT, LONG = (2, 6), (4, 200)  # workers, suspensions
OTHERS = 60  # demotions and ended sessions of the long version, which is about suspensions first


@pytest.fixture(scope="module", params=[SHORT, pytest.param(LONG, marks=pytest.mark.proof)], ids=["short", "long"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """How many workers and how many acts."""
    workers, acts = request.param
    return workers, acts


@pytest.fixture(scope="module")
def house(size: tuple[int, int]) -> Iterator[House]:
    """A house of its own, with limits that do not stand in the way of a load."""
    house = House(SCRIPTORIUM_LIMIT_SCALE="1000", WORKERS=str(size[0]))
    try:
        house.start()
        yield house
        assert house.stop() == 0
    finally:
        house.demolish()


@pytest.fixture
async def experiment(house: House, size: tuple[int, int]) -> AsyncIterator[Experiment]:
    """An administrator in that house, and victims with 200 requests a second; beside other tests a quarter of that."""
    experiment = Experiment(house, 200 if size == LONG else 50)
    await experiment.open()
    yield experiment
    await experiment.close()


def judge(ended: list[Ended], what: str, size: tuple[int, int]) -> None:
    """SPEC 2.C: 250 ms for 99 in 100, and nobody after a second.

    The short version has no 99th percentile: of so few acts it would be the slowest, and the rest of the suite is running
    beside them.  So the second is asserted of each, the 250 ms of the middle one with a cookie and of that with a token.
    """
    latest = [one.latest_accepted for one in ended]
    assert all(one.broken == [] for one in ended)
    told = [round(one * 1000) for one in latest]
    if size == LONG:
        assert percentile(latest, 0.99) <= 0.25, told
    else:
        assert max(median_low(latest[::2]), median_low(latest[1::2])) <= 0.25, told
    assert max(latest) <= 1.0, told
    if size == LONG:
        keep(
            f"Rights end: {what}",
            f"{len(latest)} times on {size[0]} workers under 200 requests/s: the last request let in began "
            f"{percentile(latest, 0.5) * 1000:.0f} ms after the decision at the median, "
            f"{percentile(latest, 0.99) * 1000:.0f} ms at the 99th percentile, {max(latest) * 1000:.0f} ms at most.",
        )


@pytest.mark.parametrize("act", ["suspend", "demote", pytest.param("end-sessions", marks=pytest.mark.proof)])
async def test_rights_end_within_a_quarter_second(experiment: Experiment, size: tuple[int, int], act: str) -> None:
    times = OTHERS if size == LONG and act != "suspend" else size[1]
    ended = [await experiment.end(await experiment.victim(number), act=act) for number in range(times)]

    judge(ended, act, size)


async def test_rights_end_while_the_notice_lines_are_cut(
    house: House, experiment: Experiment, size: tuple[int, int]
) -> None:
    async def cut() -> None:
        assert await cut_lines(house) >= 1

    ended = [await experiment.end(await experiment.victim(number), cut=cut) for number in range(max(4, size[1] // 3))]

    judge(ended, "suspend, the notice lines cut at the same moment", size)


async def cut_lines(house: House) -> int:
    """End every worker's notice line from inside PostgreSQL; returns how many there were."""
    told = json.loads((house.state / "instance.json").read_text())
    settings = Settings.from_environment(told["environment"])
    source = Subscriber(settings.secrets_socket, wait=5.0, role="tool")
    await source.start()
    try:
        login = source.snapshot.login
        connection = await asyncpg.connect(
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            user=login.user,
            password=login.password,
        )
        try:
            # A login may end its own sessions once it has stepped out of the group it was switched to.
            await connection.execute("SET ROLE NONE")
            ended = await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scriptorium-notices'"
            )
        finally:
            await connection.close()
    finally:
        await source.stop()
    return len(ended)
