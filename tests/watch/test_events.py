"""Security events: what is noted, how it is gathered, and when it is unusual."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.ids import new_id, now
from app.watch import service
from app.watch.kinds import KINDS
from app.watch.recorder import LINES, OTHERS, SOURCES, Watch
from app.watch.writing import WatchBook
from app.web.metrics import Metrics
from tests import makers
from tests.cast import Person
from tests.site import Site

URL = "/api/v1/admin/security"


@pytest.fixture
async def quiet(site: Site) -> AsyncIterator[Site]:
    """The site with nothing seen so far."""
    await book(site).write()
    await site.change("DELETE FROM security_events")
    await site.change("DELETE FROM security_hours")
    yield site
    await book(site).write()


def book(site: Site) -> WatchBook:
    found: WatchBook = site.app.extensions[WatchBook.__name__]
    return found


async def events(site: Site, admin: Person, **query: str) -> list[dict[str, Any]]:
    await book(site).write()
    asked = "&".join(f"{name}={value}" for name, value in {"limit": "100", **query}.items())
    answer = await admin.program.get(f"{URL}/events?{asked}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def noted(site: Site, block: str) -> list[int]:
    """How often each bomb from this block was counted, whatever the site's own book writes meanwhile."""
    kept = "SELECT count FROM security_events WHERE kind = 'bomb' AND block = :block"
    return [row.count for row in await site.rows(kept, block=block)]


async def test_what_was_tried_is_told_to_administrators(quiet: Site, ada: Person) -> None:
    person = await makers.person(quiet)
    stranger = quiet.program("203.0.113.7")
    assert (await stranger.sign_in(person.email, "not the password at all")).status_code == 401
    assert (await stranger.get("/api/secure", Authorization="Bearer eyJ.forged.token")).status_code == 401
    assert (await stranger.get("/api/secure", Authorization="Bearer scr_nothing")).status_code == 401
    assert (await stranger.raw("POST", "/api/login", b"[" * 100_000)).status_code == 400
    assert (await stranger.raw("POST", "/api/login", b"x" * 300_000)).status_code == 413
    assert (await stranger.get("/", Host="elsewhere.example")).status_code == 421
    visitor = quiet.browser("203.0.113.7")
    assert (await visitor.send("/login", {}, Origin="https://elsewhere.example")).status_code == 403
    found = {event["kind"]: event for event in await events(quiet, ada)}
    assert {kind: event["count"] for kind, event in found.items()} == {
        "guess": 1,
        "forged_token": 2,
        "bomb": 2,
        "hostile": 1,
        "cross_site": 1,
    }
    assert {event["block"] for event in found.values()} == {"203.0.113.7"}
    assert found["guess"]["subject"] == str(person.id)
    assert found["guess"]["request_id"]
    assert "not the password" not in json.dumps(found)


async def test_somebody_who_tries_many_doors_raises_an_alert(quiet: Site, ada: Person) -> None:
    curious = await makers.signed_in(quiet, "sponsor")
    for number in range(KINDS["probing"].one_source):
        path = "/api/v1/admin/people" if number % 2 else f"/api/v1/documents/{new_id()}"
        assert (await curious.program.get(path)).status_code in (403, 404)
    with capture_logs() as lines:
        found = await events(quiet, ada, alerts="true")
    assert [(event["kind"], event["subject"]) for event in found] == [("alert.probing", str(curious.id))]
    assert [line["kind"] for line in lines if line["event"] == "security.alert"] == ["probing"]
    await curious.program.get("/api/v1/admin/people")
    assert len(await events(quiet, ada, alerts="true")) == 1, "once an hour is enough"
    metrics: Metrics = quiet.app.extensions[Metrics.__name__]
    shown = await metrics.exposition()
    assert 'scriptorium_security_alerts_total{kind="probing"}' in shown
    assert 'scriptorium_security_events_total{kind="probing"}' in shown


async def test_strangers_and_owners_are_no_probers(quiet: Site, ada: Person, alice: Person) -> None:
    await quiet.program().get("/api/v1/documents/" + str(new_id()))
    await quiet.browser().get("/nowhere")
    assert (await alice.program.get("/api/v1/documents")).status_code == 200
    assert await events(quiet, ada) == []


async def test_two_workers_add_up_and_one_of_them_raises_the_alert(quiet: Site, ada: Person) -> None:
    watches = Watch(), Watch()
    books = [WatchBook(watch, quiet.resources.database) for watch in watches]
    for watch in watches:
        for _ in range(KINDS["bomb"].one_source - 5):
            watch.note("bomb", block="198.51.100.9", path="/x")
    for one in books:
        await one.write()
    assert [watch.alerts.total() for watch in watches] == [0, 1]
    counts = {event["kind"]: event["count"] for event in await events(quiet, ada)}
    assert counts == {"bomb": 2 * (KINDS["bomb"].one_source - 5), "alert.bomb": 1}
    shown = (await ada.program.get(URL)).json()
    assert (len(shown["hours"]), shown["by_kind"]["bomb"][-1]) == (48, counts["bomb"])


async def test_a_flood_from_everywhere_stays_small() -> None:
    watch = Watch()
    with capture_logs() as lines:
        for number in range(20_000):
            watch.note("limit", block=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", limit="PAGES")
    gathered, _ = watch.take()
    assert len(gathered) == SOURCES + 1
    assert sum(found.count for found in gathered.values()) == watch.seen["limit"] == 20_000
    assert [found.count for source, found in gathered.items() if source.subject == OTHERS] == [20_000 - SOURCES]
    assert len(lines) <= LINES * 3, "a flood of events is no flood of lines"


async def test_nothing_is_lost_while_the_database_is_away(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    broken = WatchBook(watch, quiet.resources.database)
    watch.note("bomb", block="198.51.100.1")
    with monkeypatch.context() as patched:

        async def fail(*_: object) -> None:
            raise ConnectionResetError

        patched.setattr(service, "write", fail)
        with pytest.raises(ConnectionResetError):
            await broken.write()
    watch.note("bomb", block="198.51.100.1")
    await broken.write()
    assert await noted(quiet, "198.51.100.1") == [2]


async def test_old_events_and_too_many_are_thrown_away(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    for number in range(6):
        watch.note("bomb", block=f"198.51.100.{number}")
    await WatchBook(watch, quiet.resources.database).write()
    monkeypatch.setattr(service, "MOST_EVENTS", 4)
    await quiet.change(
        "UPDATE security_events SET last_at = :long_ago WHERE block = '198.51.100.5'",
        long_ago=now() - service.KEPT - timedelta(minutes=1),
    )
    async with quiet.resources.database.transaction() as db:
        await service.sweep(db)
    assert len(await quiet.rows("SELECT 1 FROM security_events WHERE kind = 'bomb'")) == 4
    assert await quiet.rows("SELECT 1 FROM security_events WHERE block = '198.51.100.5'") == []


async def test_a_condition_is_noted_when_it_begins(quiet: Site) -> None:
    watch, away = Watch(), True
    kept = WatchBook(watch, quiet.resources.database, {"store_lost": lambda: away})
    await kept.write()
    await kept.write()
    assert (watch.seen["store_lost"], watch.alerts["store_lost"]) == (1, 1)
    away = False
    await kept.write()
    away = True
    await kept.write()
    assert watch.seen["store_lost"] == 2


async def test_the_page(quiet: Site, ada: Person) -> None:
    assert "Nothing unusual" in (await ada.browser.get("/admin/security")).text
    watch = Watch()
    for _ in range(KINDS["forged_token"].one_source):
        watch.note("forged_token", block="198.51.100.77", form="<b>access</b>")
    await WatchBook(watch, quiet.resources.database).write()
    page = (await ada.browser.get("/admin/security")).text
    assert page.count("<svg") == 1
    assert "30 in 48 hours; most at" in page
    assert "&lt;b&gt;access" in page
    assert "Alert" in page
    assert " style=" not in page
    assert "No event of this kind" in (await ada.browser.get("/admin/security?kind=spray")).text
    assert "198.51.100.77" in (await ada.browser.get("/admin/security?kind=forged_token")).text


async def test_bad_questions(ada: Person, alice: Person, site: Site) -> None:
    assert (await ada.program.get(f"{URL}/events?cursor=x")).status_code == 422
    assert (await ada.program.get(f"{URL}/events?limit=0")).status_code == 422
    assert (await alice.program.get(f"{URL}/events")).status_code == 403
    assert (await site.program().get(URL)).status_code == 401


def test_moments_are_whole_hours() -> None:
    watch = Watch()
    watch.note("bomb")
    (source,) = watch.take()[0]
    assert source.hour == now().replace(minute=0, second=0, microsecond=0)


async def test_who_asks_to_write_waits_for_what_another_is_writing(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    kept = WatchBook(watch, quiet.resources.database)
    watch.note("bomb", block="198.51.100.7")
    real, begun, gate = service.write, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any) -> Any:
        begun.set()
        await gate.wait()
        return await real(*given)

    monkeypatch.setattr(service, "write", slow)
    async with asyncio.TaskGroup() as group:
        group.create_task(kept.write())
        await begun.wait()
        second = group.create_task(kept.write())
        await asyncio.sleep(0)
        assert not second.done()
        gate.set()
    assert await noted(quiet, "198.51.100.7") == [1]
