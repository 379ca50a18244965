"""The whole application with the lasting login and with tokens signed by Vault, turning under people at work."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode

import asyncpg
import pytest

from app import rotation
from app.vault.probe import DRIVER_FAULTS
from tests.secrets.scene import check_writes, manager, pace, settings_of, under, watching
from tests.vault.conftest import House
from tests.vault.test_serve import Serving, serving
from vault.engines import LASTING_LOGIN, ensure_lasting_login
from vault.names import Names

LEFT = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-scriptorium-app-%'"


async def break_in(serve: Serving) -> asyncpg.Connection:
    """Somebody who saw the password uses it."""
    settings = settings_of(serve)
    async with watching(serve) as tool:
        login = tool.snapshot.login
    return await asyncpg.connect(
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        user=login.user,
        password=login.password,
    )


async def test_both_turn_under_people_at_work_and_an_emergency_ends_sessions(house: House) -> None:
    pace(house, 1.0)
    with house.owner() as owner:
        ensure_lasting_login(owner, Names())
    with serving(house, "lasting", limit_scale="1000", database_login="static", jwt_signer="vault") as serve:
        async with under(serve) as load:
            async with load.going(program=2, writer=2, reader=1, refresher=1):
                for _ in range(2):
                    done = await rotation.rotate(settings_of(serve), rotation.Order(("token", "database")), None)
                    assert done.workers == 2
                    await asyncio.sleep(1.5)
            assert load.wrong() == {}
            assert len(load.kept) > 5
            assert {json.loads(urlsafe_b64decode(one.split(".")[0] + "=="))["kid"][0] for one in load.kids} == {"v"}
            thief = await break_in(serve)
            assert await thief.fetchval("SELECT session_user") == LASTING_LOGIN
            async with load.going(pause=0.0, writer=3, program=1):
                await asyncio.sleep(0.3)
                moment = time.time()
                await rotation.rotate(settings_of(serve), rotation.order("database", emergency=True), None)
                with pytest.raises((asyncpg.PostgresError, *DRIVER_FAULTS, OSError)):
                    await thief.fetchval("SELECT 1")
                await asyncio.sleep(1.0)
            assert load.recovered_after(moment) < 5.0
            await check_writes(house, load)
            assert await still_in(house) == 0


async def still_in(house: House) -> int:
    """How many short-lived logins there are beside the lasting one."""
    async with manager(house) as connection:
        found: int = await connection.fetchval(LEFT)
        return found
