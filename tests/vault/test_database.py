"""PostgreSQL under logins that turn: no request fails, nothing is half done, and errors come in our words."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import SITTING, Base, Contention, Database, Lost, OutcomeUnknown, Sitting
from app.errors import Unavailable
from app.ids import now
from app.settings import Settings
from app.vault.broker import Broker
from app.vault.lease import Spacing
from app.vault.snapshot import DatabaseLogin
from tests.vault.conftest import House, soon

INSERT = text("INSERT INTO app.vault_probe (owner, note) VALUES (:owner, :note)")
COUNT = text("SELECT count(*) FROM app.vault_probe WHERE owner = :owner")
WHO = text("SELECT current_user, session_user, current_setting('application_name')")
SLEEP = text("SELECT pg_sleep(:seconds)")


@pytest.fixture(scope="session")
async def table(house: House) -> None:
    """A table to write to, made by the login of migrations."""
    settings = house.settings("table")
    with house.owner() as owner:  # the login ends with the owner's token
        login = owner.secrets.database.generate_credentials("scriptorium-migrate")["data"]
        connection = await asyncpg.connect(
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            user=login["username"],
            password=login["password"],
        )
        await connection.execute(
            "CREATE TABLE app.vault_probe (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL,"
            " note text, CONSTRAINT uq_note UNIQUE (owner, note))"
        )
        await connection.close()


@pytest.fixture
async def broker(house: House, table: None) -> AsyncIterator[Broker]:
    broker = Broker(house.settings("database", database_pool="5"))
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def database(broker: Broker) -> AsyncIterator[Database]:
    database = Database(broker.settings, broker)
    yield database
    await database.stop()


async def count(database: Database, owner: str) -> int:
    async with database.read() as connection:
        return int((await connection.execute(COUNT, {"owner": owner})).scalar_one())


async def test_connections_are_what_we_ask_for(database: Database) -> None:
    async with database.transaction() as session:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit", "search_path")
        found = [(await session.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
        who = (await session.execute(WHO)).one()
    assert found == ["15s", "5s", "30s", "off", "app"]
    assert who[0] == "scriptorium_rw"
    assert who[1] != "scriptorium_rw"
    assert who[2] == "scriptorium"
    assert set(Base.metadata.naming_convention) >= {"ix", "uq", "ck", "fk", "pk"}


async def test_logins_turn_under_load_without_a_failure(
    house: House, broker: Broker, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker._provider, "_spacing", Spacing(0.1, 0.1))
    turned, done, failed = asyncio.Event(), Counter[str](), Counter[str]()

    async def work(place: int) -> None:
        while not failed and not (turned.is_set() and done["written"] > 100):
            try:
                async with database.transaction() as session:
                    await session.execute(INSERT, {"owner": "load", "note": None})
                    # One in ten holds its connection over a whole turn, like a report or an upload.
                    await session.execute(SLEEP, {"seconds": 1.2 if place % 10 == 0 else random.uniform(0.002, 0.02)})
                done["written"] += 1
                await count(database, "load")
                done["read"] += 1
            except Exception as error:  # noqa: BLE001  # whatever it is, it counts
                failed[repr(error)] += 1
            await asyncio.sleep(0.01)

    async def turn() -> None:
        try:
            for _ in range(5):
                await asyncio.sleep(0.7)
                await broker._tending.replace_login()
        finally:
            turned.set()

    await asyncio.gather(turn(), *(work(place) for place in range(12)))
    assert not failed
    assert await count(database, "load") == done["written"]
    await soon(lambda: len(database.connections) == 1 and house.logins() == 1)


async def test_every_login_revoked_at_once_heals_before_the_next_request(
    house: House, broker: Broker, database: Database
) -> None:
    assert await count(database, "nobody") == 0
    generation = broker.snapshot.login.generation
    await asyncio.to_thread(house.rotator().sys.revoke_prefix, "database/creds/scriptorium-app")
    await asyncio.sleep(0.5)  # until the idle connections have heard of it
    answers = await asyncio.gather(*(count(database, "nobody") for _ in range(20)))
    assert set(answers) == {0}
    assert broker.snapshot.login.generation > generation
    assert house.logins() == 1


async def test_an_ended_login_is_never_used(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(broker.settings, broker)
    assert await count(database, "nobody") == 0
    login = broker.snapshot.login
    ended = DatabaseLogin(login.generation, login.user, login.password, now() - timedelta(seconds=1))
    monkeypatch.setattr(type(broker), "snapshot", property(lambda self: replace(self._snapshot, login=ended)))
    for _ in range(2):  # once with an idle connection in the pool, once without
        with pytest.raises(Unavailable):
            await count(database, "nobody")
        await database.stop()


async def test_a_failed_block_leaves_nothing(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": "failed", "note": "x"})
            raise LookupError

    with pytest.raises(LookupError):
        await work()
    assert await count(database, "failed") == 0


async def test_a_caller_who_goes_away_leaves_nothing_and_no_connection(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": "gone", "note": "x"})
            await session.execute(SLEEP, {"seconds": 10})

    tasks = [asyncio.create_task(work()) for _ in range(4)]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await count(database, "gone") == 0
    await soon(lambda: not database._writes.pool.checkedout())  # type: ignore[attr-defined]


async def test_what_is_the_callers_own_affair_passes_untouched(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(INSERT, {"owner": "twice", "note": "same"})
    with pytest.raises(exc.IntegrityError):
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": "twice", "note": "same"})
    with pytest.raises(exc.ProgrammingError):
        async with database.read() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))


async def test_what_is_the_databases_affair_becomes_unavailable(database: Database) -> None:
    async def slow() -> None:
        async with database.transaction() as session:
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(SLEEP, {"seconds": 2})

    with pytest.raises(Unavailable, match="too long"):
        await slow()

    async def locked() -> None:
        async with database.transaction() as session:
            await session.execute(text("SET LOCAL lock_timeout = 50"))
            await session.execute(text("LOCK TABLE app.vault_probe IN SHARE ROW EXCLUSIVE MODE"))

    async with database.transaction() as session:
        await session.execute(text("LOCK TABLE app.vault_probe IN ROW EXCLUSIVE MODE"))
        with pytest.raises((Contention, exc.ProgrammingError)):
            await locked()


async def test_postgresql_away_is_said_and_no_password_with_it(broker: Broker) -> None:
    away = Settings(**{**vars(broker.settings), "database_port": 9})
    database = Database(away, broker)
    with pytest.raises(Unavailable) as refused:
        await count(database, "nobody")
    assert broker.snapshot.login.password not in repr(refused.value) + str(refused.value.__cause__)
    await database.stop()


async def test_a_full_pool_is_said_after_a_bounded_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database._writes.pool, "_timeout", 0.2)
    held = [database.transaction() for _ in range(10)]
    for block in held:
        await block.__aenter__()
    try:
        with pytest.raises(Unavailable, match="busy"):
            async with database.transaction():
                pass
    finally:
        for block in held:
            await block.__aexit__(None, None, None)


async def test_deadlocks_are_told_apart(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(INSERT, {"owner": "dead", "note": "a"})
        await session.execute(INSERT, {"owner": "dead", "note": "b"})
    met = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async with database.transaction() as session:
            take = text("UPDATE app.vault_probe SET note = note WHERE owner = 'dead' AND note = :note")
            await session.execute(take, {"note": first})
            await met.wait()
            await session.execute(take, {"note": second})

    ended = await asyncio.gather(cross("a", "b"), cross("b", "a"), return_exceptions=True)
    assert [type(end) for end in ended if end is not None] == [Contention]


async def _end_sessions(broker: Broker) -> None:
    """What a revoked login meets: every connection of ours is ended."""
    login = broker.snapshot.login
    settings = broker.settings
    connection = await asyncpg.connect(
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        user=login.user,
        password=login.password,
    )
    await connection.execute("SET ROLE none")  # the sessions belong to the login itself
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = session_user AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_work_lost_before_the_commit_is_said_to_be_lost(database: Database, broker: Broker) -> None:
    sitting = Sitting()
    token = SITTING.set(sitting)

    async def interrupted() -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": "lost", "note": "x"})
            await _end_sessions(broker)
            await session.execute(INSERT, {"owner": "lost", "note": "y"})

    with pytest.raises(Lost):
        await interrupted()
    assert sitting.kept == 0
    assert await count(database, "lost") == 0
    async with database.transaction() as session:
        await session.execute(INSERT, {"owner": "lost", "note": "x"})
    async with database.transaction() as session:
        await session.execute(COUNT, {"owner": "lost"})
    assert sitting.kept == 1
    SITTING.reset(token)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_commit_whose_answer_is_lost_is_asked_after(
    database: Database, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    owner = f"doubt {kept}"
    real = AsyncSession.commit

    async def cut_off(self: AsyncSession) -> None:
        await (real(self) if kept else self.rollback())
        raise exc.DBAPIError("COMMIT", {}, Exception(), connection_invalidated=True)

    async def write() -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": owner, "note": "x"})

    monkeypatch.setattr(AsyncSession, "commit", cut_off)
    if kept:
        await write()
    else:
        with pytest.raises(Lost):
            await write()
    assert await count(database, owner) == int(kept)


async def test_nothing_is_guessed_when_postgresql_cannot_say(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(self: AsyncSession) -> None:
        await self.rollback()
        raise TimeoutError

    monkeypatch.setattr(AsyncSession, "commit", cut_off)
    monkeypatch.setattr("app.database.LONGEST_DOUBT", 0.3)
    monkeypatch.setattr("app.database.STATUS", text("SELECT 'in progress' WHERE :number <> ''"))

    async def write() -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, {"owner": "unknown", "note": "x"})

    with pytest.raises(OutcomeUnknown):
        await write()
