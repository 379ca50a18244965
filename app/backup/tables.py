"""Rows out of the database in one snapshot, and back into an empty one in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Table, delete, exists, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.backup.archive import TablePart, sha256_of
from app.database import Database
from app.errors import Conflict, Unavailable
from app.tables import metadata

# What people are signed in with is not carried along: it could have been ended since.  Neither are remembered answers.
LEFT_OUT: Final = frozenset({"sessions", "token_families", "refresh_tokens", "authorization_codes", "kept_answers"})
# A house that has just been set up counts what happens to it; what the backup counted takes the place of that.
COUNTED: Final = tuple(
    metadata.tables[name] for name in ("refusals", "security_hours", "security_events", "policy_reports")
)
TABLES: Final[tuple[Table, ...]] = tuple(table for table in metadata.sorted_tables if table.name not in LEFT_OUT)
BURST: Final = 200_000
MOST_NUMBERS: Final = 100_000_000
_UNHURRIED = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
_SEQUENCE = func.pg_get_serial_sequence("audit_events", "sequence")
_REVISION = "SELECT version_num FROM alembic_version"


def columns_of(table: Table) -> list[str]:
    """The columns that hold something of their own."""
    return [str(column.name) for column in table.columns if column.computed is None]


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The whole database as it stands at this moment."""
    async with database.read() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        async with driver.transaction(isolation="repeatable_read", readonly=True):
            for setting in _UNHURRIED:
                await driver.execute(setting)
            yield driver


async def take(driver: asyncpg.Connection, table: Table, path: Path) -> TablePart:
    """Write the rows of a table to `path`."""
    done = await driver.copy_from_table(table.name, columns=columns_of(table), output=path, timeout=86400)
    return TablePart(str(table.name), columns_of(table), int(done.rsplit(" ", 1)[-1]), sha256_of(path))


async def revision(driver: asyncpg.Connection) -> str:
    """The schema's revision."""
    return str(await driver.fetchval(_REVISION))


async def newest(driver: asyncpg.Connection) -> tuple[int, int]:
    """The largest transaction number and the largest sequence number of the trail."""
    row = await driver.fetchrow("SELECT coalesce(max(transaction), 0), coalesce(max(sequence), 0) FROM audit_events")
    return int(row[0]), int(row[1])


async def advance(database: Database, newest_event: int) -> None:
    """Let transaction numbers go on behind those of the trail, as they must for its order (decision 0017).

    Another PostgreSQL counts from its own beginning, so numbers are used up until its next one is larger.  Raises
    Unavailable where that would take too long.
    """
    async with database.read() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("SET statement_timeout = 0; SET synchronous_commit = off")
        try:
            while (missing := newest_event + 1 - await driver.fetchval(_NEXT)) > 0:
                if missing > MOST_NUMBERS:
                    raise Unavailable(
                        f"this PostgreSQL has used {missing:,} transaction numbers fewer than the one of the backup; "
                        "let audit_shift() return the difference first (docs/operations.md)"
                    )
                await driver.execute(_TELL_COUNT, str(min(missing, BURST)))
                await driver.execute(_USE_UP, timeout=3600)
        finally:
            await driver.execute("RESET statement_timeout; RESET synchronous_commit")


_NEXT = "SELECT (pg_current_xact_id()::text)::bigint + audit_shift()"
# A DO block takes no parameters, so it is told in a setting of the session how many.
_TELL_COUNT = "SELECT set_config('scriptorium.count', $1, false)"
_USE_UP = (
    "DO $$ BEGIN FOR number IN 1..current_setting('scriptorium.count')::integer "
    "LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
)


async def begin(db: AsyncSession, wanted_revision: str) -> asyncpg.Connection:
    """Make sure that rows may be put in: the same schema, and nothing there; raises Conflict saying what is."""
    found = await db.scalar(text(_REVISION))
    driver: asyncpg.Connection = (await (await db.connection()).get_raw_connection()).driver_connection
    for setting in _UNHURRIED:  # in the transaction that has begun with the question before
        await driver.execute(setting)
    if found != wanted_revision:
        raise Conflict(
            f"the backup is of schema {wanted_revision}, this database has {found}: restore with the version that made it"
        )
    for table in COUNTED:
        await db.execute(delete(table))
    held = [
        table.name
        for table in metadata.sorted_tables
        if await db.scalar(select(exists(select(literal(1)).select_from(table))))
    ]
    if held:
        raise Conflict(f"the database is not empty ({', '.join(sorted(held))}): a backup goes into a new one only")
    return driver


async def put(driver: asyncpg.Connection, part: TablePart, path: Path) -> None:
    """Put the rows of a table back; raises Conflict when they are not as many as they were."""
    done = await driver.copy_to_table(part.name, columns=part.columns, source=path, timeout=86400)
    if int(done.rsplit(" ", 1)[-1]) != part.rows:
        raise Conflict(f"{part.name} did not take all of its rows")


async def continue_sequence(db: AsyncSession, newest_sequence: int) -> None:
    """Let the trail's own numbers go on behind those that were put back."""
    reached = await db.scalar(select(func.nextval(_SEQUENCE)))
    missing = func.generate_series(1, max(0, newest_sequence - (reached or 0))).table_valued()
    await db.execute(select(func.max(func.nextval(_SEQUENCE))).select_from(missing))


def known(parts: Sequence[TablePart]) -> bool:
    """Whether these are exactly our tables with their columns, in the order in which they can be put back."""
    return [(part.name, part.columns) for part in parts] == [(table.name, columns_of(table)) for table in TABLES]
