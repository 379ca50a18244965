"""Vault hung, stopped and sealed under people at work: unnoticed while the login lasts, and nothing is used after it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from tests.networked import calling
from tests.secrets.scene import ALONE, check_writes, left_behind, manager, under, watching
from tests.vault.conftest import House
from tests.vault.test_serve import Serving, serving
from vault.engines import _role
from vault.names import Names

LEASE = 12.0
LATE = 1.0  # seconds longer than half a lease Vault may be away for a round to say something about half a lease
QUERIES = "SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'v-scriptorium-app-%' AND query_start > $1"
CROWD = {"program": 2, "writer": 2, "reader": 1}


@contextmanager
def short_leases(house: House, seconds: float = LEASE) -> Iterator[None]:
    """Database logins of the application live so long."""
    with house.owner() as owner:
        _role(owner, Names(), "app", default_ttl=f"{seconds:g}s", max_ttl="24h")
    try:
        yield
    finally:
        with house.owner() as owner:
            _role(owner, Names(), "app", default_ttl="1h", max_ttl="24h")


@pytest.fixture(scope="module")
def serve(house: House) -> Iterator[Serving]:
    with short_leases(house), serving(house, "outage", limit_scale="1000") as serve:
        yield serve


def stop_vault(house: House) -> None:
    house.stack.servers._children["openbao"].stop()


def start_vault(house: House) -> None:
    servers = house.stack.servers
    servers._start_openbao(owner_door=True)
    servers._await("openbao", servers._openbao_is_active, lambda: servers._start_openbao(owner_door=True))


async def state(serve: Serving) -> tuple[int, dict[str, object]]:
    async with calling(f"http://127.0.0.1:{serve.port}", timeout=10) as http:
        answer = await http.get("/health/ready")
        return answer.status_code, answer.json()


async def until_state(serve: Serving, wanted: str, patience: float) -> float:
    """Seconds until every secret is in this state."""
    start = time.monotonic()
    while (await state(serve))[1]["secrets"] != wanted:
        assert time.monotonic() - start < patience, f"still not {wanted}"
        await asyncio.sleep(0.1)
    return time.monotonic() - start


async def _hung_and_stopped(house: House, serve: Serving, earlier: float) -> tuple[float, float]:
    """Hang Vault and stop it for half a lease, or so much shorter as it takes to start; how long it was away and took."""
    bao = house.stack.servers._children["openbao"].process
    bao.send_signal(signal.SIGSTOP)
    await asyncio.sleep(3.0)
    bao.send_signal(signal.SIGCONT)
    await until_state(serve, "healthy", 10.0)
    stopped = time.monotonic()
    await asyncio.to_thread(stop_vault, house)
    await until_state(serve, "degraded", 6.0)
    code, told = await state(serve)
    assert (code, told["status"]) == (200, "degraded")
    assert told["secrets_since"]
    await asyncio.sleep(max(0.0, stopped + LEASE / 2 - earlier - time.monotonic()))
    began = time.monotonic()
    await asyncio.to_thread(start_vault, house)
    back = time.monotonic()
    assert await until_state(serve, "healthy", 10.0) < 10.0
    return back - stopped, back - began


async def test_hung_and_stopped_for_half_a_lease_without_a_failure(house: House, serve: Serving) -> None:
    earlier = 0.0
    for _ in range(4):
        async with under(serve) as load:
            async with load.going(**CROWD):
                away, took = await _hung_and_stopped(house, serve, earlier)
            if away >= LEASE / 2 and (away < LEASE / 2 + LATE or load.wrong() == {}):
                break
        earlier = 0.8 * took  # a busy machine kept Vault away for longer than it was stopped
    assert away >= LEASE / 2
    assert load.wrong() == {}
    assert len(load.seen) > 50
    await check_writes(house, load)
    assert await left_behind(house) == ALONE


async def _sealed(house: House, serve: Serving) -> tuple[datetime, int, float]:
    """Seal Vault until the login has ended, and a little longer.

    Returns when the login ended, how many queries were begun after that, and when Vault was back.
    """
    async with manager(house) as database, watching(serve) as tool:
        with house.owner() as owner:
            await asyncio.to_thread(owner.sys.seal)
            await asyncio.sleep(tool.snapshot.login.seconds_left() + 3.0)
            ended = tool.snapshot.login.valid_until
            assert ended is not None
            asked = await database.fetchval(QUERIES, ended)
            code, told = await state(serve)
            assert (code, told["status"], told["secrets"]) == (503, "not_ready", "must_stop")
            await asyncio.to_thread(stop_vault, house)
            await asyncio.to_thread(start_vault, house)
            return ended, asked, time.time()


async def test_sealed_for_longer_than_a_lease_fails_closed_and_comes_back_alone(house: House, serve: Serving) -> None:
    async with under(serve) as load:
        async with load.going(**CROWD):
            ended, asked, back = await _sealed(house, serve)
            await until_state(serve, "healthy", 10.0)
            assert time.time() - back < 10.0
            await asyncio.sleep(1.0)
        assert asked == 0
        after = [one for one in load.seen if one.who == "writer" and ended.timestamp() + 0.5 < one.began < back]
        assert after
        assert {one.status for one in after} == {503}
        assert load.recovered_after(back) < 10.0
        assert not [one for one in load.seen if one.status in (0, 401, 403, 500)]
        await check_writes(house, load)
    assert await left_behind(house) == ALONE
