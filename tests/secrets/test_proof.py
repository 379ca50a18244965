"""At full length, by `make proof`: a minute of five hundred requests a second, sixty kills, revocations, what is left."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from uuid import uuid4

import psutil
import pytest

from app import rotation
from app.tokens.jwt import TokenSigner
from app.tokens.signing import InMemory, InVault
from app.vault.broker import Broker
from app.vault.subscriber import Subscriber
from tests.secrets.hidden import everything_hidden, shown_somewhere
from tests.secrets.load import Load
from tests.secrets.scene import ALONE, check_writes, left_behind, pace, settings_of, under, used_everywhere, watching
from tests.secrets.test_under_load import _until_back
from tests.vault.conftest import House
from tests.vault.test_broker import running
from tests.vault.test_serve import Serving, serving

pytestmark = pytest.mark.proof
SECONDS, ROTATIONS, SWAPS, RATE = 60.0, 10, 5, 500
KILLS = 20
REVOCATIONS = 5
EVERY = 0.1
# A few more than fifty at ten a second each: nearly all of them light, the others by each other kind of key.
CROWD = {"caller": 49, "reader": 2, "writer": 3, "refresher": 1, "visitor": 1}
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def serve(house: House) -> Iterator[Serving]:
    pace(house, 3.0)
    with serving(house, "proof", limit_scale="10000", metrics_networks="127.0.0.1/32") as serve:
        yield serve


def memory(serve: Serving) -> float:
    """Megabytes that broker and workers hold by themselves."""
    return sum(psutil.Process(pid).memory_info().rss for pid in serve.broker() + serve.workers()) / MEGABYTE


async def settled_memory(serve: Serving, before: float) -> float:
    """How much more memory is held than before, once what is freed late was freed; megabytes."""
    deadline = time.monotonic() + 30.0
    while (more := memory(serve) - before) >= 20.0 and time.monotonic() < deadline:  # noqa: ASYNC110  # the kernel tells no one
        await asyncio.sleep(1.0)
    return more


async def test_a_minute_of_rotations_under_load(house: House, serve: Serving) -> None:
    late, secret = [], await everything_hidden(house, serve)
    async with under(serve) as load, watching(serve) as tool:
        async with load.going(every=EVERY, **CROWD):
            await asyncio.sleep(10.0)  # what grows with the first requests does not count
        before, load.seen[:] = memory(serve), []
        begun = time.monotonic()
        async with load.going(every=EVERY, **CROWD):
            for number in range(ROTATIONS):
                names = rotation.SECRETS if number % 2 else rotation.SECRETS[:-1]  # every second time the login, too
                done = await rotation.rotate(settings_of(serve), rotation.Order(names), None)
                late.append(await used_everywhere(tool, done))
                await asyncio.sleep(max(0.0, (number + 1) * SECONDS / ROTATIONS - (time.monotonic() - begun)))
        lasted = time.monotonic() - begun
        rate, more = len(load.seen) / lasted, await settled_memory(serve, before)
        print(  # noqa: T201 - `make proof` reads it
            f"\n{rate:.0f} requests/s for {lasted:.0f} s, {len(load.seen)} in all, {ROTATIONS} rotations of "
            f"{len(done.rotated) - 1} keys, {SWAPS} of the login: wrong {dict(load.wrong())}, "
            f"used everywhere at most {max(late):.2f} s after activation, memory {more:+.1f} MB"
        )
        assert load.wrong() == {}
        assert max(late) < 5.0
        assert sum(1 for number in range(ROTATIONS) if number % 2) == SWAPS
        assert rate >= RATE
        await check_writes(house, load)
        assert await left_behind(house, 40.0) == ALONE
        assert more < 20.0
    secret += await everything_hidden(house, serve)
    assert await shown_somewhere(house, serve, secret) == []


async def _killed(serve: Serving, number: int) -> float:
    """Kill the broker, the first or the last worker; seconds until its successor is attached."""
    victims = serve.broker() if number % 3 == 0 else serve.workers()
    victim = victims[-1] if number % 3 == 2 else victims[0]
    began = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    await _until_back(serve, victim)
    return time.monotonic() - began


async def test_twenty_kills_of_the_broker_and_of_each_worker(house: House, serve: Serving) -> None:
    took = []
    # Each request on a connection of its own: a kept one to a killed worker is found broken by its next request.
    async with under(serve, keep_alive=False) as load:
        before = memory(serve)
        async with load.going(every=EVERY, caller=6, writer=2, reader=1):
            for number in range(KILLS * 3):
                took.append(await _killed(serve, number))
                await asyncio.sleep(1.5)
        cut = [one for one in load.seen if one.status == 0]
        more = await settled_memory(serve, before)
        print(  # noqa: T201 - `make proof` reads it
            f"\n{KILLS * 3} kills under {len(load.seen)} requests: {len(cut)} cut off in a killed worker, back after "
            f"{statistics.median(took):.2f} s (median), {max(took):.2f} s (slowest), memory {more:+.1f} MB"
        )
        assert not [one for one in load.seen if one.status >= 500 or one.status in (401, 403)]
        # A killed worker takes along what it had in hand, which is never more than everybody who was asking.
        assert len(cut) <= KILLS * 2 * 9
        assert max(took) < 5.0
        await check_writes(house, load)
        assert await left_behind(house, 40.0) == ALONE
        assert more < 20.0


async def test_every_lease_revoked_again_and_again_in_the_middle_of_writes(house: House, serve: Serving) -> None:
    async with under(serve) as load:
        before = memory(serve)
        took = [await _revoked(serve, load) for _ in range(REVOCATIONS)]
        print(  # noqa: T201 - `make proof` reads it
            f"\n{REVOCATIONS} revocations of every lease under {len(load.kept)} acknowledged and {len(load.refused)} "
            f"refused writes, {len(load.doubted)} without an answer: recovered after at most {max(took):.2f} s"
        )
        assert max(took) < 5.0
        assert not load.doubted
        await check_writes(house, load)
        assert await left_behind(house, 40.0) == ALONE
        assert await settled_memory(serve, before) < 20.0


async def _revoked(serve: Serving, load: Load) -> float:
    load.seen.clear()
    async with load.going(pause=0.0, writer=8, program=2):
        await asyncio.sleep(1.5)
        moment = time.time()
        await rotation.rotate(settings_of(serve), rotation.order("database", emergency=True), None)
        await asyncio.sleep(2.5)
    return load.recovered_after(moment)


async def test_what_a_token_costs_by_either_signer(house: House) -> None:
    broker = Broker(house.settings("cost", jwt_signer="vault"))
    worker = Subscriber(broker.settings.secrets_socket)
    other = Broker(house.settings("cost-memory"))
    async with running(broker, worker, other):
        vault = TokenSigner(broker.settings, lambda: worker.snapshot.rings["token"], InVault(worker))
        memory_ = TokenSigner(other.settings, lambda: other.snapshot.rings["token"], InMemory())

        async def issue(signer: TokenSigner) -> str:
            return await signer.issue(
                person_id=uuid4(), family_id=uuid4(), epoch=1, scopes=frozenset({"profile:read"}), client_id="here"
            )

        one, eight = [await _timed(lambda: issue(vault), at_once) for at_once in (1, 8)]
        local, _ = await _timed(lambda: issue(memory_), 1)
        print(  # noqa: T201 - `make proof` reads it
            f"\na token signed by Vault: {one[0] * 1000:.2f} ms (median), {eight[1]:.0f} a second with eight at once; "
            f"signed in memory: {local * 1000:.3f} ms"
        )
        assert one[0] < 0.05


async def _timed(work: Callable[[], Awaitable[object]], at_once: int, times: int = 300) -> tuple[float, float]:
    """Median seconds of one, and how many were done in a second."""
    took: list[float] = []

    async def go() -> None:
        for _ in range(times // at_once):
            began = time.perf_counter()
            await work()
            took.append(time.perf_counter() - began)

    await work()
    began = time.perf_counter()
    await asyncio.gather(*(go() for _ in range(at_once)))
    return statistics.median(took), len(took) / (time.perf_counter() - began)
