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
