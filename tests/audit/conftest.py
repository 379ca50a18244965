"""A stack of its own for tests that tamper with the trail: the last thing the others want is theirs tampered with."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from app.access import SYSTEM, Actor
from app.audit import service as audit
from app.audit.models import AuditEvent
from app.audit.sealing import Sealer
from app.audit.verdict import Report
from app.audit.verifying import verify
from app.database import Database
from app.ids import new_id
from app.settings import Settings
from app.vault.broker import Broker
from local.stack import Stack
from tests.site import settings_for
from tests.stacks import running_stack

TABLES = "audit_events, audit_seals, audit_signatures"


def _nobody_looks(_done: int, _total: int) -> None:
    """Progress, unseen."""


@dataclass
class Trail:
    """An empty trail, the sealer over it, and a database superuser who can do to it what they like."""

    stack: Stack
    settings: Settings
    secrets: Broker
    database: Database
    root: asyncpg.Connection
    actor: Actor = field(
        default_factory=lambda: replace(
            SYSTEM, id=new_id(), display_name="Ada Lovelace", address="192.0.2.7", request_id="a request"
        )
    )

    def sealer(self) -> Sealer:
        return Sealer(self.database, self.secrets, self.settings)

    async def record(self, count: int = 1, actor: Actor | None = None) -> list[UUID]:
        """Record events in one transaction; returns their ids in order."""
        async with self.database.transaction() as db:
            for number in range(count):
                target = ("document", new_id())
                await audit.record(
                    db, actor or self.actor, "document.saved", target, {"n": number, "device": "é\u2028"}
                )
            found = await db.execute(select(AuditEvent.id).order_by(AuditEvent.sequence.desc()).limit(count))
            return [row[0] for row in found][::-1]

    async def seal(self) -> int:
        """Seal and sign all there is; returns how many events were sealed."""
        sealer, total = self.sealer(), 0
        while count := await sealer.seal():
            total += count
        while await sealer.sign():
            pass
        return total

    async def sealed(self, *counts: int) -> list[UUID]:
        """Record and seal as many seals of as many events."""
        made: list[UUID] = []
        for count in counts:
            made += await self.record(count)
            assert await self.seal() == count
        return made

    async def verify(self, *copies: Path) -> Report:
        keys = await self.secrets.public_keys("audit")
        return await verify(self.database, keys, copies or [self.settings.audit_copy], _nobody_looks)

    async def do(self, statement: str, *values: Any) -> None:
        """Do something as superuser."""
        await self.root.execute(statement, *values)


@pytest.fixture(scope="session")
def trail_stack() -> Iterator[Stack]:
    with running_stack(Path(tempfile.mkdtemp(prefix="st-"))) as stack:
        _let_the_superuser_in(stack.folders.postgres)
        yield stack


def _let_the_superuser_in(data: Path) -> None:
    """Nobody has the superuser's password, so this server stops asking for it."""
    rules = data / "pg_hba.conf"
    rules.write_text("host all postgres 127.0.0.1/32 trust\n" + rules.read_text())
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)


@pytest.fixture(scope="session")
async def open_trail(trail_stack: Stack) -> AsyncIterator[Trail]:
    settings = settings_for(trail_stack, {})
    secrets = Broker(settings)
    await secrets.start()
    database = Database(settings, secrets)
    root = await asyncpg.connect(
        host=settings.database_host, port=settings.database_port, database=settings.database_name, user="postgres"
    )
    await root.execute("SET search_path = app")
    try:
        yield Trail(trail_stack, settings, secrets, database, root)
    finally:
        await root.close()
        await database.stop()
        await secrets.stop()


@pytest.fixture
async def trail(open_trail: Trail) -> Trail:
    await open_trail.do(f"TRUNCATE {TABLES}")
    open_trail.settings.audit_copy.unlink(missing_ok=True)
    return open_trail
