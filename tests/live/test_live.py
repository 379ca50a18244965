"""The socket of a document: who is here, what is new, and nobody who may not see it, over a real port."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from uuid import uuid4

import pytest
from valkey.asyncio import Valkey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.live.hub import MOST_PER_PERSON, Hub, Seat
from tests import makers
from tests.cast import Person
from tests.served import served
from tests.site import Site
from tests.web.servers import ValkeyServer

PATIENCE = 20.0
SECOND = 1.0  # after which nobody still sits where they may not


@pytest.fixture(scope="module")
async def open_site(site: Site) -> AsyncIterator[Site]:
    async with served(site.stack) as open_site:
        yield open_site


@asynccontextmanager
async def at(
    who: Person,
    document_id: str,
    since: int = 1,
    headers: Mapping[str, str] = MappingProxyType({}),
    talk: str = "",
) -> AsyncIterator[ClientConnection]:
    """Somebody's page at a document."""
    url = f"{who.site.settings.public_url.replace('http', 'ws')}/documents/{document_id}/live?since={since}&talk={talk}"
    said = {"Origin": who.site.settings.public_url} | dict(headers)
    cookies = "; ".join(f"{name}={value}" for name, value in who.browser.cookies().items())
    async with connect(url, additional_headers=said | ({"Cookie": cookies} if cookies else {})) as socket:
        yield socket


async def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


async def everything(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def closed(socket: ClientConnection) -> tuple[int, float]:
    """The code it is closed with, and when."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionClosed) as end:
            await everything(socket)
    received = end.value.rcvd
    assert received is not None
    return received.code, time.monotonic()


async def people(site: Site) -> tuple[Person, Person, str]:
    alice, bob = (
        await makers.signed_in(site, "sponsor", name="Alice"),
        await makers.signed_in(site, "editor", name="Bob"),
    )
    return alice, bob, (await makers.document(alice, bob))["id"]


async def test_who_is_here_and_what_is_new(open_site: Site) -> None:
    alice, bob, document_id = await people(open_site)
    async with at(alice, document_id) as hers:
        assert (await hear(hers, "hello"))["version"] == 1
        assert (await hear(hers, "people"))["people"] == []
        async with at(bob, document_id) as his:
            assert (await hear(his, "people"))["people"] == [{"id": str(alice.id), "name": "Alice"}]
            assert (await hear(hers, "people"))["people"] == [{"id": str(bob.id), "name": "Bob"}]
            await bob.program.patch(f"/api/v1/documents/{document_id}", {"body": "new"}, If_Match="*")
            told = await hear(hers, "version")
            assert (told["version"], told["by"]) == (2, "Bob")
            await makers.take(bob, document_id, "hand-in")
            assert (await hear(hers, "state"))["state"] == "handed_in"
        assert (await hear(hers, "people"))["people"] == []


async def test_what_was_said_is_told_also_to_those_who_were_away(open_site: Site) -> None:
    alice, bob, document_id = await people(open_site)
    path = f"/api/v1/documents/{document_id}/comments"
    assert await page_mark(alice, document_id) == "0.0.0"
    async with at(alice, document_id, talk="0.0.0") as hers:
        await hear(hers, "people")
        made = await bob.program.post(path, {"body": "Only soot?"})
        told = await hear(hers, "comments")
        assert (told["said"], told["by"]) == (1, "Bob")
    answer = await bob.program.post(f"{path}/{made.json()['id']}/resolve")
    assert answer.is_success, answer.text
    async with at(alice, document_id, talk=told["mark"]) as hers:
        now = await page_mark(alice, document_id)
        assert await hear(hers, "comments") == {**told, "mark": now, "by": None}
    for known in (
        now,
        "",
        "x",
        "1.1",
    ):  # nothing is new to those who know it, and to those who do not say what they know
        async with at(alice, document_id, talk=known) as hers:
            assert [json.loads(await hers.recv())["type"] for _ in range(2)] == ["hello", "people"]


async def page_mark(who: Person, document_id: str) -> str:
    """How far the talk is, as the document's page says it."""
    shown = (await who.browser.get(f"/sponsor/documents/{document_id}")).text
    return shown.partition('data-talk="')[2].partition('"')[0]


async def test_whoever_comes_back_is_told_what_they_missed(open_site: Site) -> None:
    alice, bob, document_id = await people(open_site)
    for body in ("two", "three"):
        await bob.program.patch(f"/api/v1/documents/{document_id}", {"body": body}, If_Match="*")
    async with at(alice, document_id, since=1) as hers:
        assert (await hear(hers, "version"))["version"] == 3
    async with at(alice, document_id, since=3) as hers:
        await hear(hers, "hello")
        assert json.loads(await hers.recv())["type"] == "people"  # and nothing about a version in between


async def test_strangers_are_turned_away(open_site: Site) -> None:
    alice, _, document_id = await people(open_site)
    stranger = await makers.signed_in(open_site, "sponsor", name="Charlie")
    visitor = Person(open_site, alice.id, "Visitor", "", "", (), "visitor")
    attempts: tuple[tuple[Person, dict[str, str], int], ...] = (
        (stranger, {}, 404),
        (visitor, {}, 401),
        (alice, {"Origin": "https://evil.example"}, 403),
        (alice, {"Origin": "null"}, 403),
    )
    for who, headers, status in attempts:
        with pytest.raises(InvalidStatus) as refused:
            async with at(who, document_id, headers=headers):
                pass
        answer = refused.value.response
        assert answer.status_code == status
        assert answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


async def test_it_ends_within_a_second_when_access_ends(open_site: Site) -> None:
    ada = await makers.signed_in(open_site, "admin", name="Ada")
    alice, bob, document_id = await people(open_site)

    async def suspended() -> None:
        path = f"/api/v1/admin/people/{bob.id}/suspend"
        assert (await ada.program.post(path, {"reason": "for the test"})).status_code == 200

    async def signed_out() -> None:
        assert (await alice.browser.post("/logout", page="/logout")).status_code == 303

    async def given_away() -> None:
        other = await makers.person(open_site, "editor")
        path = f"/api/v1/documents/{document_id}"
        answer = await alice.program.patch(path, {"editor_id": str(other.id)}, If_Match="*")
        assert answer.status_code == 200, answer.text

    for act, who, wanted in ((given_away, bob, 4404), (signed_out, alice, 4401)):
        async with at(who, document_id) as socket:
            await hear(socket, "people")
            await act()
            ended = time.monotonic()
            code, at_last = await closed(socket)
            assert code == wanted
            assert at_last - ended < SECOND
    _, bob, document_id = await people(open_site)
    async with at(bob, document_id) as socket:
        await hear(socket, "people")
        closing = asyncio.ensure_future(closed(socket))
        await suspended()
        ended = time.monotonic()
        code, at_last = await closing
        assert code == 4401
        assert at_last - ended < SECOND


async def test_readers_have_nothing_to_say_and_few_seats(open_site: Site) -> None:
    alice, _, document_id = await people(open_site)
    async with at(alice, document_id) as socket:
        await hear(socket, "people")
        await socket.send("hello")
        assert (await closed(socket))[0] == 1008
    hub: Hub = open_site.app.extensions[Hub.__name__]
    async with AsyncExitStack() as seats:
        for _ in range(MOST_PER_PERSON):
            await hear(await seats.enter_async_context(at(alice, document_id)), "hello")
        with pytest.raises(InvalidStatus) as refused:
            async with at(alice, document_id):
                pass
        assert refused.value.response.status_code == 429
    async with asyncio.timeout(PATIENCE):
        while len(hub):  # noqa: ASYNC110 - the hub tells nobody, and need not
            await asyncio.sleep(0.02)
    assert len(hub) == 0


async def test_across_workers(site: Site, open_site: Site) -> None:
    """Two workers share nothing but the servers behind them."""
    alice, bob, document_id = await people(open_site)
    async with served(site.stack) as other:
        bob_there = replace(bob, site=other)
        bob_there.browser.http.cookies.update(bob.browser.http.cookies)
        async with at(alice, document_id) as hers:
            await hear(hers, "people")
            async with at(bob_there, document_id) as his:
                assert (await hear(his, "people"))["people"][0]["name"] == "Alice"
                assert (await hear(hers, "people"))["people"][0]["name"] == "Bob"
                await bob.program.patch(f"/api/v1/documents/{document_id}", {"body": "there"}, If_Match="*")
                for socket in (hers, his):
                    assert (await hear(socket, "version"))["version"] == 2
            assert (await hear(hers, "people"))["people"] == []


async def test_whoever_changes_a_document_waits_for_no_valkey(tmp_path: Path) -> None:
    """One that hangs is given up soon, and those who sit at the document in this worker look all the same."""
    server = ValkeyServer(tmp_path)
    server.start()
    client = server.client()
    hub, seat = Hub(client), Seat(uuid4(), uuid4(), None)
    assert hub.take(seat)
    try:
        await hub.changed(seat.document_id)
        assert not seat.wake.is_set(), "Valkey will say it"
        server.pause()
        began, worked = time.monotonic(), time.thread_time()
        hub.tell(seat.document_id)
        assert time.thread_time() - worked < 0.05
        assert not seat.wake.is_set(), "that waits beside the request"
        async with asyncio.timeout(PATIENCE):
            await seat.wake.wait()
        assert time.monotonic() - began > 0.1
    finally:
        server.resume()
        await client.aclose()
        server.stop()


async def test_what_was_told_at_the_end_of_a_worker_is_still_said() -> None:
    said: list[str] = []

    class Slow:
        async def publish(self, _: str, document: str) -> None:
            await asyncio.sleep(0.02)
            said.append(document)

    hub, document_id = Hub(cast(Valkey, Slow())), uuid4()
    hub.tell(document_id)
    await hub.stop()
    assert said == [document_id.hex]


async def test_the_end_of_a_worker_does_not_wait_for_a_valkey_that_hangs() -> None:
    class Hanging:
        async def publish(self, *_: str) -> None:
            await asyncio.Event().wait()

    hub = Hub(cast(Valkey, Hanging()))
    hub.tell(uuid4())
    async with asyncio.timeout(PATIENCE):
        await hub.stop()
    assert not hub._saying
