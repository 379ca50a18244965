"""The application under test, whole: over a real PostgreSQL, OpenBao and Valkey, opened and closed by its lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar, cast

import asyncpg
from quart import Quart
from sqlalchemy import text

from app.accounts.suspensions import Suspensions
from app.factory import create_app
from app.passwords import PasswordHasher
from app.resources import Resources
from app.rights.memory import Memory
from app.settings import Settings
from app.tables import metadata
from app.web.context import EXTENSION
from app.web.sweeping import Sweeper
from local.stack import Stack
from tests.canaries import CANARIES
from tests.client import Browser, Caller, Program
from vault.client import connect

_NUMBERS = count(1)
C = TypeVar("C", bound=Caller)
# Every table, those that others point at first.
TABLES = tuple(table.name for table in metadata.sorted_tables)
# Seals are laid over the trail in the background, and the watch writes down what it saw, a moment after it happened.
BACKGROUND = frozenset(
    {"audit_seals", "audit_signatures", "security_events", "security_hours", "policy_reports", "refusals"}
)


@dataclass
class Site:
    """One running application."""

    app: Quart
    settings: Settings
    stack: Stack
    _callers: list[Caller] = field(default_factory=list, repr=False)  # thousands, towards the end

    @property
    def resources(self) -> Resources:
        return cast(Resources, self.app.extensions[EXTENSION])

    def browser(self, address: str = "127.0.0.1", *, at: str = "") -> Browser:
        """A new browser without cookies, `at` the site or another origin of it."""
        return self._kept(Browser(self.app, at or self.settings.public_url, address))

    def program(self, address: str = "127.0.0.1") -> Program:
        """A new program without a token."""
        return self._kept(Program(self.app, self.settings.public_url, address))

    def _kept(self, caller: C) -> C:
        self._callers.append(caller)
        return caller

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the application's own login finds in the database."""
        async with self.resources.database.read() as db:
            return list((await db.execute(text(statement), values)).all())

    async def change(self, statement: str, **values: Any) -> None:
        """Change rows behind the application's back, such as moving a moment into the past; it then forgets all it knew."""
        async with self.resources.database.transaction() as db:
            await db.execute(text(statement), values)
        memory: Memory = self.app.extensions[Memory.__name__]
        memory.clear()

    async def counts(self) -> dict[str, int]:
        """How many rows every table holds, but for those the house writes by itself."""
        counted = [table for table in TABLES if table not in BACKGROUND]
        parts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in counted)
        return {row[0]: row[1] for row in await self.rows(parts)}

    async def events(self, target_id: object, kind: str = "") -> list[Any]:
        """The trail of one thing, oldest first."""
        return await self.rows(
            "SELECT * FROM audit_events WHERE target_id = :target AND kind LIKE :kind || '%' ORDER BY sequence",
            target=str(target_id),
            kind=kind,
        )

    async def close(self) -> None:
        for caller in self._callers:
            await caller.close()


def settings_for(stack: Stack, changes: Mapping[str, str]) -> Settings:
    """Settings of one more application on this stack: its own wrapped secret-id, its own socket."""
    number = next(_NUMBERS)
    folder = stack.state / f"a{number}"
    folder.mkdir(mode=0o700)
    secret_id = stack.wrap_secret_id(path=folder / "secret-id")
    mapping = stack.environment() | {
        "SCRIPTORIUM_WORKERS": "1",
        "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(secret_id),
        "SCRIPTORIUM_VAULT_WAIT": "10",
        "SCRIPTORIUM_SECRETS_SOCKET": str(folder / "s"),
        "SCRIPTORIUM_LIMIT_SCALE": "100000",
    }
    return Settings.from_environment(mapping | {f"SCRIPTORIUM_{name}": value for name, value in changes.items()})


def work_out_once(hasher: PasswordHasher) -> None:
    """Let what was a right password stay one: the tests sign two thousand times in with a few, at 20 ms of argon2 each.

    Wrong ones are worked out each time, and so is everything around this: queue, thread, count, and what comes of it.
    """
    verify: Callable[[str, str], bool] = hasher._context.verify
    right: set[tuple[str, str]] = set()

    def verify_or_remember(peppered: str, hashed: str) -> bool:
        if (peppered, hashed) not in right:
            if not verify(peppered, hashed):
                return False
            right.add((peppered, hashed))
        return True

    hasher._context.verify = verify_or_remember


@asynccontextmanager
async def running(
    stack: Stack, *, prepare: Callable[[Quart], None] = lambda app: None, **changes: str
) -> AsyncIterator[Site]:
    """Start an application over `stack`; `changes` are settings without their prefix, `prepare` may add views to it."""
    settings = settings_for(stack, changes)
    app = create_app(settings)
    prepare(app)
    site = Site(app, settings, stack)
    async with _lifespan(app):
        # They would end suspensions and sweep away what other tests have left, in the middle of any test that counts.
        for name in (Suspensions.__name__, Sweeper.__name__):
            await app.extensions[name].stop()
        work_out_once(site.resources.passwords)
        CANARIES.learn(site.resources.secrets.snapshot)
        site.resources.secrets.on_change(CANARIES.learn)
        try:
            yield site
        finally:
            await site.close()


@asynccontextmanager
async def _lifespan(app: Quart) -> AsyncIterator[None]:
    """Start and stop an application as a server does (ASGI lifespan protocol 2.0)."""
    asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    task = asyncio.create_task(app(scope, asked.get, said.put))  # type: ignore[arg-type]  # plain dicts
    for step in ("startup", "shutdown"):
        await asked.put({"type": f"lifespan.{step}"})
        answer = await said.get()
        assert answer["type"] == f"lifespan.{step}.complete", answer
        if step == "startup":
            try:
                yield
            except BaseException:
                task.cancel()
                raise
    await task


@asynccontextmanager
async def as_owner(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """PostgreSQL under the login of migrations, which owns the tables."""
    login = await asyncio.to_thread(_owner_login, stack)
    environment = stack.environment()
    db = await asyncpg.connect(
        host=environment["SCRIPTORIUM_DATABASE_HOST"],
        port=int(environment["SCRIPTORIUM_DATABASE_PORT"]),
        database=environment["SCRIPTORIUM_DATABASE_NAME"],
        user=login["username"],
        password=login["password"],
    )
    try:
        yield db
    finally:
        await db.close()


async def everything_stored(stack: Stack) -> str:
    """Every row of every table, as text."""
    async with as_owner(stack) as db:
        rows = [await db.fetchval(f"SELECT string_agg(t::text, chr(10)) FROM {table} t") for table in TABLES]
    return "\n".join(text for text in rows if text)


def _owner_login(stack: Stack) -> dict[str, str]:
    client = connect(stack.deployer.address, stack.deployer.wrap_secret_id("scriptorium-migrate"))
    secret_id = client.sys.unwrap()["data"]["secret_id"]
    client.token = None
    client.auth.approle.login(stack.deployer.role_id("scriptorium-migrate"), secret_id)
    login: dict[str, str] = client.adapter.get("/v1/database/creds/scriptorium-migrate")["data"]
    return login
