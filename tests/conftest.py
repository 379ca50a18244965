"""What all tests share: one house per worker process, one application in it, and the cast, signed in by the real doors."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import structlog

from local.stack import Stack
from tests import makers
from tests.bounded import pytest_collection_modifyitems  # noqa: F401 - a hook
from tests.canaries import (
    CANARIES,
    hide_identities,
    look_around,
    pytest_runtest_logreport,  # noqa: F401 - a hook
)
from tests.cast import CAST, Cast, Person
from tests.client import Browser, Program
from tests.observed import OBSERVED, misshapen, undeclared
from tests.recorded import RECORDED
from tests.scheduling import pytest_xdist_make_scheduler  # noqa: F401 - pytest finds hooks by their name in this module
from tests.site import TABLES, Site, as_owner, everything_stored, running
from tests.stacks import pytest_configure, running_stack  # noqa: F401 - one of them a hook

TRIES = 10


def pytest_collection_finish() -> None:
    """What was collected stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)  # requests leave no cycles behind, and what does is not much


def pytest_sessionstart() -> None:
    """Tell faults in plain words: drawing the variables of each frame costs more than most tests."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, colors=False)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(scope="session")
def app_stack() -> Iterator[Stack]:
    """The servers the application needs, with its tables."""
    # Not below pytest's folder: that one is closed to the user PostgreSQL runs as under root.
    with running_stack(Path(tempfile.mkdtemp(prefix="sa-"))) as stack:
        hide_identities(stack)
        yield stack


@pytest.fixture(scope="session")
async def site(app_stack: Stack) -> AsyncIterator[Site]:
    """The application under test, with every middleware and with limits so wide that only their own tests meet them."""
    async with running(app_stack) as site:
        yield site
        # At the end of everything: what programs were answered, in all tests of this process, is what we promise them.
        document = (await site.program().get("/api/openapi.json")).json()
        assert undeclared(OBSERVED, document) == []
        assert misshapen(OBSERVED, document) == []
        # And every answer, to people too, kept the rules that hold for all of them.
        assert sorted(RECORDED.faults) == []
        # No secret showed anywhere.
        told = [(await site.program().get(path)).text for path in ("/metrics", "/health/ready")]
        look_around(app_stack, {"tables": await everything_stored(app_stack), "metrics and health": "\n".join(told)})
        assert len(CANARIES) > 8
        assert sorted(CANARIES.seen) == []


@pytest.fixture(scope="session")
async def cast(site: Site) -> Cast:
    """The standing cast, signed in."""
    people = {"visitor": Person(site, UUID(int=0), "Visitor", "", "", (), "visitor")}
    for name, (roles, status, _) in CAST.items():
        # Sam had a token while he was active; he is suspended after he got it.
        start = "active" if status == "suspended" else status
        person = await makers.person(site, *roles, status=start, name=name.capitalize(), message="In kind words.")
        people[name] = await person.sign_in()
    sam, ada = people["sam"], people["ada"]
    decision = {"reason": "for the tests", "message": "In kind words."}
    answer = await ada.program.post(f"/api/v1/admin/people/{sam.id}/suspend", decision)
    assert answer.status_code == 200, answer.text
    sam.status = "suspended"
    await sam.browser.sign_in(sam.email, sam.password)
    return Cast(**people)


@pytest.fixture
def alice(cast: Cast) -> Person:
    return cast.alice


@pytest.fixture
def bob(cast: Cast) -> Person:
    return cast.bob


@pytest.fixture
def charlie(cast: Cast) -> Person:
    return cast.charlie


@pytest.fixture
def edith(cast: Cast) -> Person:
    return cast.edith


@pytest.fixture
def max(cast: Cast) -> Person:  # noqa: A001 - his name
    return cast.max


@pytest.fixture
def ada(cast: Cast) -> Person:
    return cast.ada


@pytest.fixture
def browser(site: Site) -> Browser:
    """A visitor's browser."""
    return site.browser()


@pytest.fixture
def program(site: Site) -> Program:
    """A program without a token."""
    return site.program()


@pytest.fixture
async def empty_house(site: Site) -> AsyncIterator[Site]:
    """The application over empty tables, for tests that count everything; what was there comes back afterwards."""
    kept = {table: BytesIO() for table in TABLES}
    async with as_owner(site.stack) as db:
        async with db.transaction():
            await _lock(db)
            for table, rows in kept.items():
                await db.copy_from_table(table, output=rows)
            await db.execute(f"TRUNCATE {', '.join(TABLES)}")
        try:
            yield site
        finally:
            async with db.transaction():
                await _lock(db)
                await db.execute(f"TRUNCATE {', '.join(TABLES)}")
                for table, rows in kept.items():
                    rows.seek(0)
                    await db.copy_to_table(table, source=rows)


async def _lock(db: asyncpg.Connection) -> None:
    """Lock every table; who works in the background takes some in another order, so a deadlock is tried again."""
    for _ in range(TRIES):
        with suppress(asyncpg.DeadlockDetectedError):
            async with db.transaction():
                await db.execute(f"LOCK {', '.join(TABLES)}")
                return
    raise AssertionError("the tables are never at rest")
