"""What the tests of turning secrets set up and look at: paces, followers, and what is left in Vault and PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from app.rotation import Rotation
from app.settings import Settings
from app.vault.snapshot import RING_FIELDS
from app.vault.subscriber import Subscriber
from tests.secrets.load import Load
from tests.vault.conftest import House
from tests.vault.test_serve import Serving

LEFT_ROLES = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-scriptorium-app-%'"
# A session whose role was dropped has no name any more.
GHOSTS = (
    "SELECT count(*) FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid "
    "WHERE a.backend_type = 'client backend' AND r.oid IS NULL"
)
FOUND = "SELECT id::text, title FROM app.entries WHERE title LIKE $1 || ' %'"
RECORDED = "SELECT target_id FROM app.audit_events WHERE kind = 'entry.published' AND target_id = ANY($1)"


def pace(house: House, activate_after: float, grace: float = 86400) -> None:
    """How fast every ring turns."""
    kv = house.rotator().secrets.kv.v2
    for ring in RING_FIELDS:
        words = {"activate_after": str(activate_after), "grace": str(grace)}
        kv.update_metadata(f"scriptorium/{ring}", mount_point="kv", custom_metadata=words)


def settings_of(serve: Serving) -> Settings:
    return Settings.from_environment(serve.environment)


@asynccontextmanager
async def under(serve: Serving, *, keep_alive: bool = True) -> AsyncIterator[Load]:
    """Somebody who has signed in and is ready to work; an idle connection to a killed worker is found broken much later."""
    load = Load(f"http://127.0.0.1:{serve.port}", keep_alive)
    await load.open()
    try:
        yield load
    finally:
        await load.close()


@asynccontextmanager
async def watching(serve: Serving) -> AsyncIterator[Subscriber]:
    """An operator's view of the broker."""
    tool = Subscriber(settings_of(serve).secrets_socket, role="tool")
    await tool.start()
    try:
        yield tool
    finally:
        await tool.stop()


async def used_everywhere(tool: Subscriber, rotation: Rotation) -> float:
    """Wait until every worker signs with the new versions; seconds from the latest activation to that."""
    wanted = {one.secret: one.version for one in rotation.rotated if one.secret in RING_FIELDS}
    activation = max(datetime.fromisoformat(one.used_from).timestamp() for one in rotation.rotated)
    while True:
        status = await tool.status()
        signing = {
            name: max(one["version"] for one in ring["versions"] if one["state"] == "signing")
            for name, ring in status["rings"].items()
        }
        if all(signing[name] >= version for name, version in wanted.items()) and all(
            worker["seen"] >= status["generation"] for worker in status["workers"]
        ):
            return time.time() - activation
        assert time.time() - activation < 20, (signing, wanted, status["workers"])
        await asyncio.sleep(0.05)


@asynccontextmanager
async def manager(house: House) -> AsyncIterator[asyncpg.Connection]:
    """PostgreSQL as it is in the house, looked at with a login of migrations."""
    environment = house.stack.environment()
    with house.owner() as owner:
        login = await asyncio.to_thread(owner.secrets.database.generate_credentials, "scriptorium-migrate")
        connection = await asyncpg.connect(
            host=environment["SCRIPTORIUM_DATABASE_HOST"],
            port=int(environment["SCRIPTORIUM_DATABASE_PORT"]),
            database=environment["SCRIPTORIUM_DATABASE_NAME"],
            user=login["data"]["username"],
            password=login["data"]["password"],
        )
        try:
            yield connection
        finally:
            await connection.close()


async def left_behind(house: House, patience: float = 40.0) -> dict[str, int]:
    """Tokens, leases, roles and ghosts of the application, once they have settled to one of each and none."""
    deadline = time.monotonic() + patience
    async with manager(house) as connection:
        while True:
            found = {
                "tokens": await asyncio.to_thread(_tokens, house),
                "leases": await asyncio.to_thread(house.logins),
                "roles": await connection.fetchval(LEFT_ROLES),
                "ghosts": await connection.fetchval(GHOSTS),
            }
            if found == {"tokens": 1, "leases": 1, "roles": 1, "ghosts": 0} or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.3)


ALONE = {"tokens": 1, "leases": 1, "roles": 1, "ghosts": 0}


def _tokens(house: House) -> int:
    """How many living tokens the application's role has."""
    found = 0
    with house.owner() as owner:
        for accessor in owner.list("auth/token/accessors")["data"]["keys"]:
            about = owner.adapter.post(
                "/v1/auth/token/lookup-accessor", json={"accessor": accessor}, raise_exception=False
            )
            data = about.get("data", {}) if isinstance(about, dict) else {}
            found += (data.get("meta") or {}).get("role_name") == "scriptorium-app"
    return found


async def check_writes(house: House, load: Load) -> None:
    """Every acknowledged write is there once with its audit row, every refused one is absent."""
    async with manager(house) as connection:
        rows = await connection.fetch(FOUND, load.mark)
        ids = [row["id"] for row in rows]
        recorded = [row["target_id"] for row in await connection.fetch(RECORDED, ids)]
    titles = [row["title"] for row in rows]
    assert len(titles) == len(set(titles)), "written twice"
    assert {title: one for title, one in zip(titles, ids, strict=True) if title in load.kept} == load.kept
    assert not set(load.refused) & set(titles)
    assert sorted(recorded) == sorted(ids)
