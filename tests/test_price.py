"""What keeps the authenticated read cheap, counted instead of timed: calls, statements, tasks.

Microseconds belong to `bench/`; they differ with the machine and its neighbours.  How much Python runs does not.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from app.web.bodyless import LEAVING, Leaving
from tests import makers
from tests.cast import Person
from tests.rights.test_no_queries import counted
from tests.site import Site

# Measured at 325 to 365; it was 875 before readers, plans and prepared statements.  A hook more is about ten.
MOST_CALLS = 400
AGAIN = 20


class Read:
    """One warm read after the other, as our own server asks for it."""

    def __init__(self, site: Site, person: Person, path: str) -> None:
        self._site, self._path = site, path
        self._host = urlsplit(site.settings.public_url).netloc.encode()
        self._token = person.program.token.encode()

    async def __call__(self) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("a request without a body receives nothing")

        scope: Any = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 4000), "scheme": "http", "root_path": "", "method": "GET", "path": self._path,
            "raw_path": self._path.encode(), "query_string": b"", "state": {LEAVING: Leaving()},
            "headers": [
                (b"host", self._host), (b"authorization", b"Bearer " + self._token),
                (b"accept", b"application/json"), (b"user-agent", b"tests"),
            ],
        }  # fmt: skip
        await self._site.app(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]


@asynccontextmanager
async def warm(site: Site, person: Person) -> AsyncIterator[Read]:
    document = await makers.document(person, body="Soot, gum and *water*. " * 90)
    read = Read(site, person, f"/api/v1/documents/{document['id']}")
    for _ in range(AGAIN):
        status, body = await read()
        assert status == 200
        assert document["id"].encode() in body
    yield read


async def test_a_warm_read_runs_little_python(site: Site, alice: Person) -> None:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    fewest = sys.maxsize
    async with warm(site, alice) as read:
        for _ in range(AGAIN):  # the house has work of its own now and then
            calls = 0
            sys.setprofile(count)
            try:
                await read()
            finally:
                sys.setprofile(None)
            fewest = min(fewest, calls)
    assert 0 < fewest <= MOST_CALLS


async def test_a_warm_read_is_one_statement_and_one_task(site: Site, alice: Person) -> None:
    made: list[object] = []
    loop = asyncio.get_running_loop()

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        made.append(work)
        return task

    async with warm(site, alice) as read:
        with counted(site) as sent:
            await read()
        assert len(sent) == 1
        fewest = sys.maxsize
        loop.set_task_factory(make)
        try:
            for _ in range(AGAIN):
                made.clear()
                await read()
                fewest = min(fewest, len(made))
        finally:
            loop.set_task_factory(None)
    assert fewest == 0
