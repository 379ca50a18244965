"""Migrations make exactly the tables in the code, run in both directions, and leave the application few rights."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic import command
from app import migrations
from app.settings import Settings
from local.stack import Stack
from tests.site import Site, as_owner

APPEND_ONLY = ("audit_events", "account_changes", "document_steps")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'app' ORDER BY 1"
SHAPE = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = 'app' ORDER BY 1, 2
"""
CONSTRAINTS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'app'::regnamespace ORDER BY 1"
)
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'app' ORDER BY 1"


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    return ScriptDirectory.from_config(config)


def test_there_is_one_line_of_migrations() -> None:
    assert len(scripts().get_heads()) == 1
    assert len(scripts().get_bases()) == 1
    for script in scripts().walk_revisions():
        assert script.doc, f"{script.revision} does not say what it does"


@pytest.fixture(scope="module")
def spare() -> Iterator[Stack]:
    """A stack whose tables may come and go."""
    folder = Path(tempfile.mkdtemp(prefix="sm-"))
    stack = Stack(folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder)


def settings_of(stack: Stack) -> Settings:
    """Settings of one migration job."""
    return Settings.from_environment(
        stack.environment()
        | {
            "SCRIPTORIUM_VAULT_ROLE_ID": stack.deployer.role_id("scriptorium-migrate"),
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(stack.wrap_secret_id("scriptorium-migrate")),
            "SCRIPTORIUM_VAULT_WAIT": "10",
        }
    )


async def shape(stack: Stack) -> list[list[object]]:
    async with as_owner(stack) as db:
        return [[tuple(row) for row in await db.fetch(question)] for question in (TABLES, SHAPE, CONSTRAINTS, INDEXES)]


async def downgrade(stack: Stack, revision: str) -> None:
    await migrations._with_connection(settings_of(stack), lambda config: command.downgrade(config, revision))


async def test_up_down_and_up_again(spare: Stack) -> None:
    """From nothing to the newest, which is what the models say; back step by step to nothing; and up once more."""
    await migrations.migrate(settings_of(spare))
    await migrations.check(settings_of(spare))
    first = await shape(spare)
    for _ in scripts().walk_revisions():
        await downgrade(spare, "-1")
    assert (await shape(spare))[0] == [("alembic_version",)]
    await migrations.migrate(settings_of(spare))
    assert await shape(spare) == first


async def test_a_second_job_finds_nothing_to_do(spare: Stack) -> None:
    await migrations.migrate(settings_of(spare))
    before = await shape(spare)
    await migrations.migrate(settings_of(spare))
    assert await shape(spare) == before


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_history_cannot_be_rewritten(site: Site, table: str) -> None:
    for statement in (
        f"UPDATE {table} SET at = now()",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"DROP TABLE {table}",
    ):
        await refused(site, statement)
    await site.rows(f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "ALTER TABLE people ADD COLUMN mine int",
        "DROP TABLE people CASCADE",
        "TRUNCATE people CASCADE",
        "CREATE INDEX mine ON people (email)",
        "ALTER TABLE people OWNER TO scriptorium_rw",
        "SET ROLE scriptorium_owner",
        "COPY people TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/hostname')",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
async def test_the_application_may_not(site: Site, statement: str) -> None:
    await refused(site, statement)


async def refused(site: Site, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner|InsufficientPrivilege|not allowed"):
        await run(site, statement)


async def run(site: Site, statement: str) -> None:
    async with site.resources.database.transaction() as db:
        await db.execute(text(statement))


async def test_the_application_works_under_the_group(site: Site) -> None:
    (row,) = await site.rows("SELECT current_user AS now_as, session_user AS came_as, current_schema AS place")
    assert (row.now_as, row.place) == ("scriptorium_rw", "app")
    assert row.came_as.startswith("v-")
