"""Dear routes: which ones say so, what they cost whom, and what happens to those who come too many at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from app.web.budgets import Budgets, expense_of
from app.web.lanes import Busy, Lane
from app.web.metrics import Metrics
from app.web.shared_script import SharedStore, StoreLost
from tests import makers
from tests.cast import Person
from tests.client import Browser, Program
from tests.site import Site, running

DEAR = {
    "paper": {
        "/documents/<uuid:document_id>/export.pdf",
        "/entry/<uuid:entry_id>.pdf",
        "/api/v1/documents/<uuid:document_id>/export.pdf",
        "/api/v1/entries/<uuid:entry_id>/export.pdf",
    },
    "book": {"/documents/<uuid:document_id>/export.epub", "/api/v1/documents/<uuid:document_id>/export.epub"},
    "search": {"/search", "/api/v1/search"},
    "bulk": {"/admin/people/bulk/decide", "/api/v1/admin/people/bulk"},
    "trail": {"/admin/audit.csv", "/admin/audit.jsonl", "/api/v1/admin/audit.csv", "/api/v1/admin/audit.jsonl"},
    "hash": {
        "/login",
        "/register",
        "/signupsponsor",
        "/signupeditor",
        "/account/confirm",
        "/api/login",
        "/api/v1/auth/token",
        "/api/v1/people",
    },
}


@pytest.fixture(scope="module")
async def small(site: Site) -> AsyncIterator[Site]:
    """A site that gives little."""
    async with running(
        site.stack, SEARCHES_VISITOR="2", SEARCHES_MEMBER="3", SEARCHES_SPONSOR="9", TRAILS_ADMIN="1", BULK_ADMIN="1"
    ) as small:
        yield small


def test_every_dear_route_says_so(site: Site) -> None:
    declared: dict[str, set[str]] = defaultdict(set)
    budgets: dict[str, set[str]] = defaultdict(set)
    for rule in site.app.url_map.iter_rules():
        expense = expense_of(site.app.view_functions[rule.endpoint])
        if expense is not None:
            declared[expense.name].add(rule.rule)
            budgets[expense.name].add(expense.budget)
    assert declared == DEAR
    assert budgets["paper"] == budgets["book"] == {"exports"}, "files are made from one budget, whatever their kind"


async def test_visitors_have_a_budget_by_their_block(small: Site) -> None:
    first, second = small.program("2001:db8:77:1::1"), small.program("2001:db8:77:1::2")
    assert (await first.get("/api/v1/search?q=ink")).status_code == 200
    assert (await first.get("/api/v1/search?unknown=1")).status_code == 422, "which costs nothing"
    assert (await second.get("/api/v1/search?q=ink")).status_code == 200
    refused = await first.get("/api/v1/search?q=ink")
    assert (refused.status_code, refused.json()["code"]) == (429, "budget_spent")
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert "2 searches today" in refused.json()["detail"]
    page = await small.browser("2001:db8:77:1::3").get("/search?q=ink")
    assert page.status_code == 429
    assert "more tomorrow" in page.text
    assert (await small.program("2001:db8:77:2::1").get("/api/v1/search?q=ink")).status_code == 200


async def test_a_search_says_what_is_left_and_the_page_only_when_that_is_little(small: Site) -> None:
    person = await makers.signed_in(small, "sponsor")
    for left in range(8, 2, -1):
        answer = await person.program.get("/api/v1/search?q=ink")
        said = {name: int(answer.headers[f"Search-Budget-{name}"]) for name in ("Limit", "Remaining", "Reset")}
        assert (said["Limit"], said["Remaining"]) == (9, left)
        assert 0 < said["Reset"] <= 86_400
    page = (await person.browser.get("/search?q=ink")).text
    assert "2 more searches today" in page
    assert "9 again after midnight" in page
    refused = await person.browser.get("/search?since=nonsense")
    assert (refused.status_code, "more searches" in refused.text) == (422, False)
    spent = (await person.program.get("/api/v1/me/budgets")).json()["items"]
    left = next(one["remaining"] for one in spent if one["name"] == "searches")
    assert left == 2, "a refused search costs nothing"
    for sentence in ("1 more search today", "the last search of today"):
        assert sentence in (await person.browser.get("/search?q=ink")).text
    assert (await person.browser.get("/search?q=ink")).status_code == 429


async def test_nobody_hears_of_a_budget_that_lasts(site: Site, program: Program, browser: Browser) -> None:
    answer = await program.get("/api/v1/search?q=ink")
    assert int(answer.headers["Search-Budget-Remaining"]) * 3 >= int(answer.headers["Search-Budget-Limit"])
    assert "after midnight" not in (await browser.get("/search?q=ink")).text


async def test_people_have_their_own_and_the_best_of_their_roles(small: Site) -> None:
    member, both = await makers.signed_in(small), await makers.signed_in(small, "member", "sponsor")
    statuses = [(await member.program.get("/api/v1/search?q=ink")).status_code for _ in range(4)]
    assert statuses == [200] * 3 + [429]
    shown = {item["name"]: item for item in (await both.program.get("/api/v1/me/budgets")).json()["items"]}
    assert (shown["searches"]["limit"], shown["searches"]["used"]) == (9, 0)
    assert "bulk" not in shown, "which is none of theirs"


async def test_many_at_once_never_spend_more_than_there_is(small: Site) -> None:
    member = await makers.signed_in(small)
    answers = await asyncio.gather(*(member.program.get("/api/v1/search?q=ink") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 17


async def test_the_trail_as_a_file_is_dear(small: Site) -> None:
    admin = await makers.signed_in(small, "admin")
    statuses = [(await admin.program.get("/api/v1/admin/audit.csv")).status_code for _ in range(2)]
    assert statuses == [200, 429]


async def test_a_stranger_spends_nothing_of_anybodys(small: Site) -> None:
    budgets: Budgets = small.app.extensions[Budgets.__name__]
    before = budgets.refused.copy()
    for _ in range(3):
        assert (await small.program().get("/api/v1/admin/audit.csv")).status_code == 401
    assert budgets.refused == before


async def test_without_the_store_everybody_has_a_share(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(site.stack, SEARCHES_MEMBER="8") as alone:
        member = await makers.signed_in(alone)

        async def away(*_: object) -> None:
            raise StoreLost

        monkeypatch.setattr(SharedStore, "run", away)
        statuses = [(await member.program.get("/api/v1/search?q=ink")).status_code for _ in range(6)]
        assert statuses == [200] * 4 + [429] * 2


async def test_a_full_line_is_told_to_come_back(site: Site, monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    budgets: Budgets = site.app.extensions[Budgets.__name__]
    lane = Lane(at_once=1, line=0, patience=5.0)
    monkeypatch.setitem(budgets.lanes, "search", lane)
    async with lane.place():
        answer = await ada.program.get("/api/v1/search?q=ink")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "1"
    assert (await ada.program.get("/api/v1/search?q=ink")).status_code == 200
    metrics: Metrics = site.app.extensions[Metrics.__name__]
    assert 'scriptorium_busy_total{line="search"} 1' in await metrics.exposition()


async def test_a_line_is_bounded_and_moves() -> None:
    lane, order = Lane(at_once=2, line=2, patience=0.2), list[int]()

    async def work(number: int) -> None:
        async with lane.place():
            order.append(number)
            await asyncio.sleep(0.02)

    outcomes = await asyncio.gather(*(work(number) for number in range(6)), return_exceptions=True)
    assert [isinstance(outcome, Busy) for outcome in outcomes] == [False] * 4 + [True] * 2
    assert order == [0, 1, 2, 3]
    assert lane.waiting == 0
    async with lane.place(), lane.place():
        with pytest.raises(Busy):
            async with lane.place():
                raise AssertionError
    await work(9)
