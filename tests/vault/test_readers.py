"""Readers: kept between uses, handed on to who waits, never more than there may be, and thrown away when in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, column, exc, func, literal_column, select, text

from app.database import Database, Lost
from app.errors import NotFound, Unavailable
from app.prepared import Prepared
from app.reader import AT_ONCE, Reader, Reading
from app.vault.broker import Broker
from tests.vault.conftest import House, soon

PID = text("SELECT pg_backend_pid()")
NUMBER = Prepared(
    select(column("n")).select_from(
        func.generate_series(literal_column("1"), bindparam("n", type_=Integer())).alias("n")
    )
)
SLEEP = Prepared(select(func.pg_sleep(bindparam("seconds", type_=Integer())).is_(None).label("slept")))
PLACES = 6  # one and the spare ones


@pytest.fixture(scope="module")
async def broker(house: House) -> AsyncIterator[Broker]:
    broker = Broker(house.settings("readers", database_pool="1"))
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def database(broker: Broker) -> AsyncIterator[Database]:
    database = Database(broker.settings, broker)
    yield database
    await database.stop()


async def pid(database: Database) -> int:
    async with database.read() as db:
        return int((await db.execute(PID)).scalar_one())


async def test_one_reader_serves_one_after_the_other(database: Database) -> None:
    assert len({await pid(database) for _ in range(5)}) == 1
    assert sum(database.connections.values()) == 1


async def hold_all(database: Database) -> list[Reading]:
    """Every reader there may be, in use."""
    held = [database.read() for _ in range(PLACES)]
    for block in held:
        await block.__aenter__()
    return held


async def test_those_who_wait_are_served_in_turn_and_no_more_are_opened_than_may_be(database: Database) -> None:
    for block in await hold_all(database):
        await block.__aexit__(None, None, None)
    served: list[int] = []

    async def ask(number: int) -> None:
        async with database.read() as db:
            served.append(number)
            assert len(await NUMBER.all(db, {"n": 3})) == 3
            await asyncio.sleep(0.002)

    await asyncio.gather(*(ask(number) for number in range(40)))
    assert len(served) == 40
    waited = [number for number in served if number >= PLACES]
    assert all(first < then for first, then in pairwise(waited))
    assert sum(database.connections.values()) == PLACES


async def test_of_many_who_come_at_once_most_wait_for_those_before_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening takes longer than reading: two are opened at a time, and the first of them serve nearly everybody."""
    opening, most = 0, 0
    opened = Reader.open

    async def slowly(self: Reader) -> None:
        nonlocal opening, most
        opening += 1
        most = max(most, opening)
        await asyncio.sleep(0.05)
        await opened(self)
        opening -= 1

    monkeypatch.setattr(Reader, "open", slowly)
    assert len(await asyncio.gather(*(pid(database) for _ in range(40)))) == 40
    assert most == AT_ONCE
    assert sum(database.connections.values()) < PLACES


async def test_whoever_opens_in_vain_leaves_the_room_to_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, failures = Reader.open, iter([True] * 3)

    async def at_last(self: Reader) -> None:
        if next(failures, False):
            raise OSError("not yet")
        await opened(self)

    monkeypatch.setattr(Reader, "open", at_last)
    done = await asyncio.gather(*(pid(database) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, int) for one in done) == 7, done


async def test_one_who_gives_up_waiting_takes_no_reader_along(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._readers, "_patience", 0.05)
    held = await hold_all(database)
    with pytest.raises(Unavailable, match="busy"):
        await pid(database)
    monkeypatch.setattr(database._readers, "_patience", 30.0)  # none of those to come is to give up
    left = asyncio.create_task(pid(database))
    await asyncio.sleep(0.01)
    await held[0].__aexit__(None, None, None)  # it is handed on, and at the same moment nobody wants it any more
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    for block in held[1:]:
        await block.__aexit__(None, None, None)
    assert await asyncio.gather(*(pid(database) for _ in range(3 * PLACES)))
    assert sum(database.connections.values()) == PLACES


async def test_a_refusal_of_ours_costs_no_connection_and_any_other_error_does(database: Database) -> None:
    async def read(error: Exception) -> int:
        async with database.read() as db:
            found = int((await db.execute(PID)).scalar_one())
            raise error
        return found

    first = await pid(database)
    with pytest.raises(NotFound):
        await read(NotFound())
    assert await pid(database) == first
    with pytest.raises(LookupError):
        await read(LookupError())
    assert await pid(database) != first


async def test_one_that_is_left_within_a_transaction_is_not_used_again(database: Database) -> None:
    async def refused() -> None:
        async with database.read() as db:
            await db.driver.execute("BEGIN READ ONLY")
            raise NotFound

    first = await pid(database)
    with pytest.raises(NotFound):
        await refused()
    assert await pid(database) != first
    async with database.read() as db:
        assert not db.driver.is_in_transaction()
    assert sum(database.connections.values()) == 1


async def test_a_value_that_does_not_fit_is_not_taken_for_a_lost_connection(database: Database) -> None:
    for value in ("ink", 2**40):
        with pytest.raises(asyncpg.DataError):
            async with database.read() as db:
                await NUMBER.first(db, {"n": value})


async def test_one_whose_caller_left_in_the_middle_is_not_used_again(database: Database) -> None:
    first = await pid(database)

    async def sleep() -> None:
        async with database.read() as db:
            await SLEEP.first(db, {"seconds": 30})

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pid(database) != first
    await soon(lambda: sum(database.connections.values()) == 1)


async def test_the_drivers_own_errors_come_in_our_words(database: Database) -> None:
    async with database.read() as db:
        assert isinstance(db, Reader)
        await db.execute(text("SET statement_timeout = 50"))
        with pytest.raises(exc.DBAPIError):
            await db.execute(text("SELECT pg_sleep(1)"))
    with pytest.raises(Unavailable, match="too long"):
        async with database.read() as db:
            await SLEEP.first(db, {"seconds": 5})

    async def cut_off() -> None:
        async with database.read() as db:
            await db.driver.close()
            await NUMBER.first(db, {"n": 1})

    with pytest.raises(Lost):
        await cut_off()
    assert await pid(database)
