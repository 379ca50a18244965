"""PostgreSQL that stands still: requests are told in time, nothing piles up, and everything works once it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from sqlalchemy import text

from app.database import Database
from app.errors import Unavailable
from app.vault.broker import Broker
from tests.vault.conftest import House, soon
from tests.vault.test_broker import read, running

PID = text("SELECT pg_backend_pid()")
ONE = text("SELECT 1")
STATEMENT = 0.5


async def ask(database: Database) -> float:
    """Seconds until an answer or a refusal."""
    began = time.monotonic()
    try:
        async with database.transaction() as session:
            await session.execute(ONE)
    except Unavailable:
        pass
    return time.monotonic() - began


async def test_connections_that_stand_still_are_given_up(house: House) -> None:
    settings = house.settings("hangs", statement_timeout=str(STATEMENT), database_pool="3")
    broker = Broker(settings)
    database = Database(settings, broker)
    async with running(broker, database):
        held = [database.transaction() for _ in range(3)]
        pids = [(await (await block.__aenter__()).execute(PID)).scalar_one() for block in held]
        for block in held:
            await block.__aexit__(None, None, None)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            took = await asyncio.gather(*(ask(database) for _ in range(12)))
            assert max(took) < STATEMENT + 2.0 + 3.0
            # Those that stand still were thrown away, so the next one is answered by a new connection.
            began = time.monotonic()
            async with database.transaction() as session:
                assert (await session.execute(ONE)).scalar_one() == 1
            assert time.monotonic() - began < STATEMENT + 2.0
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        await soon(lambda: not database._writes.pool.checkedout())  # type: ignore[attr-defined]
        async with database.transaction() as session:
            assert (await session.execute(ONE)).scalar_one() == 1


async def test_a_read_that_stands_still_is_told_in_time(house: House) -> None:
    settings = house.settings("hangs-read", statement_timeout=str(STATEMENT))
    broker = Broker(settings)
    database = Database(settings, broker)
    async with running(broker, database):
        async with database.read() as connection:
            pid = (await connection.execute(PID)).scalar_one()
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await read(database)
            assert time.monotonic() - began < STATEMENT + 2.0 + 3.0
        finally:
            os.kill(pid, signal.SIGCONT)
