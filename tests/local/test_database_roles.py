"""The logins Vault makes in PostgreSQL: what they may do, and that their end is an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from app.vault.probe import DRIVER_FAULTS
from local.stack import Stack
from tests.local.conftest import SignIn


async def connect(stack: Stack, login: dict[str, Any]) -> asyncpg.Connection:
    settings = stack.environment()
    return await asyncpg.connect(
        host=settings["SCRIPTORIUM_DATABASE_HOST"],
        port=int(settings["SCRIPTORIUM_DATABASE_PORT"]),
        database=settings["SCRIPTORIUM_DATABASE_NAME"],
        user=login["username"],
        password=login["password"],
    )


@asynccontextmanager
async def session(stack: Stack, login: dict[str, Any]) -> AsyncIterator[asyncpg.Connection]:
    db = await connect(stack, login)
    try:
        yield db
    finally:
        await db.close()


def test_a_migration_makes_what_the_app_may_use_and_not_change(stack: Stack, sign_in: SignIn) -> None:
    owner = sign_in("scriptorium-migrate").adapter.get("/v1/database/creds/scriptorium-migrate")["data"]
    runtime = sign_in().adapter.get("/v1/database/creds/scriptorium-app")["data"]

    async def play() -> None:
        async with session(stack, owner) as db:
            await db.execute("CREATE TABLE note (id int PRIMARY KEY, text text)")
            assert await db.fetchval("SELECT tableowner FROM pg_tables WHERE tablename='note'") == "scriptorium_owner"
        async with session(stack, runtime) as db:
            assert await db.fetchval("SELECT current_user") == "scriptorium_rw"
            assert await db.fetchval("SELECT session_user") == runtime["username"]
            await db.execute("INSERT INTO note VALUES (1, 'one')")
            for statement in ("DROP TABLE note", "CREATE TABLE x ()", "CREATE TEMP TABLE x ()", "SET ROLE postgres"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await db.execute(statement)
        async with session(stack, owner) as db:
            await db.execute("DROP TABLE note")

    asyncio.run(play())


def test_revoking_ends_open_sessions(stack: Stack, sign_in: SignIn) -> None:
    app = sign_in()
    lease = app.adapter.get("/v1/database/creds/scriptorium-app")

    async def play() -> None:
        db = await connect(stack, lease["data"])
        await asyncio.to_thread(app.sys.revoke_lease, lease["lease_id"])
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, *DRIVER_FAULTS)):
            await db.execute("SELECT 1")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(stack, lease["data"])

    asyncio.run(play())


def test_renewal_keeps_the_login_working(stack: Stack, sign_in: SignIn) -> None:
    app = sign_in()
    lease = app.adapter.get("/v1/database/creds/scriptorium-app")
    app.sys.renew_lease(lease["lease_id"])

    async def play() -> None:
        async with session(stack, lease["data"]) as db:
            assert await db.fetchval("SELECT 1") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(stack, {**lease["data"], "password": "{{password}}"})

    asyncio.run(play())
