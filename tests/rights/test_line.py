"""The line on which a worker hears what ended: not trusted from the moment it breaks, and mended whatever broke it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any

import asyncpg
import pytest

from app.rights import line as module
from app.rights.line import NoticeLine
from tests.site import Site
from tests.soon import PATIENCE


@pytest.fixture
async def restored() -> list[float]:
    """The moments at which everything remembered was forgotten."""
    return []


@pytest.fixture
async def line(site: Site, restored: list[float], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NoticeLine]:
    """A line of its own, whose pulse comes too seldom to notice anything in time."""
    monkeypatch.setattr(module, "PULSE_EVERY", 30.0)
    monkeypatch.setattr(module, "PULSE_GOOD_FOR", 60.0)
    line = NoticeLine(
        site.settings, site.resources.secrets, heard=lambda _: None, restored=lambda: restored.append(monotonic())
    )
    await line.start()
    assert line.up
    yield line
    await line.stop()


async def until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_line_that_breaks_is_not_trusted_until_it_is_mended(
    site: Site, line: NoticeLine, restored: list[float]
) -> None:
    login, trusted = site.resources.secrets.snapshot.login, []
    line._restored = lambda: trusted.append(line.up)
    database = await asyncpg.connect(
        host=site.settings.database_host,
        port=site.settings.database_port,
        database=site.settings.database_name,
        user=login.user,
        password=login.password,
    )
    try:
        await database.execute("SET ROLE NONE")  # a login may end its own sessions once it has stepped out of its group
        assert await database.fetchval("SELECT pg_terminate_backend($1)", line._connection.get_server_pid())
    finally:
        await database.close()
    await until(lambda: line.losses == 1 and line.up)
    assert (len(restored), trusted) == (1, [False])


@pytest.mark.parametrize(
    "fault", [asyncpg.InternalClientError("another operation is in progress"), RuntimeError("nobody thought of it")]
)
async def test_whatever_breaks_it_it_is_mended(
    line: NoticeLine, restored: list[float], monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    real, broken = asyncpg.Connection.fetchval, line._connection

    async def fetchval(connection: Any, *given: Any, **named: Any) -> Any:
        if connection is broken:
            raise fault
        return await real(connection, *given, **named)

    monkeypatch.setattr(asyncpg.Connection, "fetchval", fetchval)
    line._cut.set()  # have it feel its pulse now
    await until(lambda: len(restored) == 2 and line.up)
    assert line.losses == 1


async def move(line: NoticeLine) -> Any:
    """Have it take the login for a new one; returns the connection it goes away from."""
    before = line._connection
    line._generation = -1
    line._cut.set()
    await until(lambda: line._generation != -1 and before.is_closed())
    return before


async def test_it_moves_to_a_new_login_without_forgetting_anything(line: NoticeLine, restored: list[float]) -> None:
    before = await move(line)
    assert (line._connection is before, line.up, line.losses, len(restored)) == (False, True, 0, 1)


async def test_a_line_that_breaks_while_it_moves_has_missed_something(
    line: NoticeLine, restored: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is said between the end of the old connection and the beginning of the new one, neither of them hears."""
    real, broken = asyncpg.connect, line._connection

    async def connect(**given: Any) -> Any:
        connection = await real(**given)
        if not broken.is_closed():
            await connection.execute("SET ROLE NONE")
            assert await connection.fetchval("SELECT pg_terminate_backend($1)", broken.get_server_pid())
            await connection.execute("RESET ROLE")
            await until(broken.is_closed)
        return connection

    monkeypatch.setattr(asyncpg, "connect", connect)
    await move(line)
    await until(lambda: len(restored) == 2 and line.up)
    assert line.losses == 1
