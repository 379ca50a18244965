"""The lasting login: its password changes in place, and whoever is refused for that reads the new one and goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import text

from app.database import Database
from app.vault import inheritance
from app.vault.broker import Broker
from app.vault.errors import Invalid
from app.vault.estate import Estate
from app.vault.lease import RotationClock
from tests.vault.conftest import House, soon
from tests.vault.test_broker import die, read, running
from vault.engines import LASTING_LOGIN, ROTATION_PERIOD, ensure_lasting_login
from vault.names import Names

ROLE = "scriptorium-app-static"


@pytest.fixture(scope="module", autouse=True)
def lasting_login(house: House) -> None:
    """Vault told about the lasting login, twice: telling it again changes nothing."""
    with house.owner() as owner:
        ensure_lasting_login(owner, Names())
        before = owner.secrets.database.get_static_credentials(ROLE)["data"]["password"]
        ensure_lasting_login(owner, Names())
        assert owner.secrets.database.get_static_credentials(ROLE)["data"]["password"] == before


@pytest.fixture
async def broker(house: House) -> AsyncIterator[Broker]:
    broker = Broker(house.settings("static", database_login="static", database_pool="4"))
    async with running(broker):
        yield broker


def readings(broker: Broker) -> int:
    """How often the login was read from Vault."""
    return sum(count for kind, _, count, _ in broker.standing()["counts"]["requests"] if kind == "static login")


async def turn(house: House) -> None:
    await asyncio.to_thread(house.rotator().secrets.database.rotate_static_role_credentials, ROLE)


async def test_it_is_one_lasting_login_without_a_lease(house: House, broker: Broker) -> None:
    database = Database(broker.settings, broker)
    async with running(database), database.read() as connection:
        who = (await connection.execute(text("SELECT session_user, current_user"))).one()
    assert tuple(who) == (LASTING_LOGIN, "scriptorium_rw")
    await soon(lambda: house.logins() == 0)
    assert broker.snapshot.login.valid_until is None
    told = (await broker.status())["database"]
    assert (told["kind"], told["ends"], told["seconds"]) == ("static", None, ROTATION_PERIOD)
    assert broker.snapshot.endings().keys() == {"vault_token"}
    assert broker.snapshot.login.password not in str(await broker.status())


async def test_it_changes_under_load_without_a_failure(house: House, broker: Broker) -> None:
    database = Database(broker.settings, broker)
    ended, done, failed, seen = asyncio.Event(), Counter[str](), Counter[str](), {broker.snapshot.login.password}
    broker.on_change(lambda snapshot: seen.add(snapshot.login.password))

    async def work(place: int) -> None:
        while not ended.is_set():
            try:
                if place % 2:
                    # Like a host without idle connections: each of these signs in anew and may be refused.
                    fresh = Database(broker.settings, broker)
                    await read(fresh)
                    await fresh.stop()
                else:
                    async with database.transaction() as session:
                        await session.execute(text("SELECT pg_sleep(0.02)"))
            except Exception as error:  # noqa: BLE001  # whatever it is, it counts
                failed[repr(error)] += 1
            done["asked"] += 1

    def noticed(logins: int) -> bool:
        return len(seen) == logins

    async def change() -> None:
        try:
            for number in range(3):
                await asyncio.sleep(0.6)
                await turn(house)
                await soon(partial(noticed, number + 2))
            await soon(lambda: done["asked"] > 50)
        finally:
            ended.set()

    async with running(database):
        await asyncio.gather(change(), *(work(place) for place in range(6)))
        assert not failed
        assert len(seen) == 4
        await soon(lambda: len(database.connections) <= 1)


async def test_everybody_refused_at_once_shares_one_reading(house: House, broker: Broker) -> None:
    await turn(house)
    before, generation = readings(broker), broker.snapshot.login.generation
    databases = [Database(broker.settings, broker) for _ in range(8)]
    async with running(*databases):
        assert set(await asyncio.gather(*(read(one) for one in databases))) == {LASTING_LOGIN}
    assert readings(broker) == before + 1
    assert broker.snapshot.login.generation > generation


async def test_a_change_elsewhere_is_noticed_without_being_refused(house: House, broker: Broker) -> None:
    await turn(house)
    generation = broker.snapshot.login.generation
    assert await broker._provider.renew()
    await broker._tending.replace_login()
    assert broker.snapshot.login.generation > generation
    assert await broker._provider.works()


async def test_rotating_it_takes_the_rotator(house: House, broker: Broker) -> None:
    before = broker.snapshot.login
    turned = await broker.rotate("database")
    after = broker.snapshot.login
    assert turned.login == after.generation > before.generation
    assert after.password != before.password
    assert await broker._provider.works()


async def test_without_the_rotators_token_it_is_not_rotated(house: House) -> None:
    broker = Broker(house.settings("static-alone", database_login="static", rotator_token_file=""))
    async with running(broker):
        with pytest.raises(Invalid, match="rotator"):
            await broker.rotate("database")


async def test_a_killed_broker_is_succeeded_with_the_same_login(house: House) -> None:
    settings, left = house.settings("static-estate", database_login="static"), Estate(inheritance.make())
    first = Broker(settings, estate=left)
    await first.start()
    generation = first.snapshot.login.generation
    await die(first)
    second = Broker(settings, estate=left)
    async with running(second):
        assert second.snapshot.login.generation == generation
        await turn(house)
        await die(second)
        third = Broker(settings, estate=left)
        async with running(third):
            assert third.snapshot.login.generation > generation
            assert await third._provider.works()


def test_its_clock_looks_often_and_just_after_the_change() -> None:
    clock = RotationClock(86400.0, 100.0, lambda low, high: low)
    assert clock.due == 108.0
    assert clock.left(100.0) == 86400.0
    assert not clock.renewed(86400.0, 200.0)
    near = RotationClock(3.0, 100.0, lambda low, high: low)
    assert near.due == 103.2
