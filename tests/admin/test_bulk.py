"""Deciding about many at once: by program with an answer for each, by page in two steps that cannot be skipped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.web import steps
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site

URL = "/api/v1/admin/people/bulk"
PAGE = "/admin/people/bulk"


async def three(site: Site, status: str = "pending") -> list[Person]:
    return [await makers.person(site, "sponsor", status=status, name=name) for name in ("Una", "Duo", "Tria")]


async def statuses(site: Site, people: list[Person]) -> list[str]:
    found = await site.rows("SELECT id, status FROM people WHERE id = ANY(:ids)", ids=[person.id for person in people])
    by_id = {row.id: row.status for row in found}
    return [by_id[person.id] for person in people]


async def choose(browser: Browser, people: list[Person], verb: str) -> str:
    """Tick people on the list and say what to do; returns the text of the page that comes next."""
    answer = await browser.http.post(
        PAGE,
        data={
            "form_token": await browser.token("/admin/people"),
            "ids": [str(person.id) for person in people],
            "action": verb,
        },
        headers={"Origin": browser.base_url},
    )
    return (await browser.follow(answer)).text


async def test_each_is_done_or_refused_on_its_own(site: Site, ada: Person) -> None:
    people, active, unknown = await three(site), await makers.person(site), uuid4()
    ids = [str(people[0].id), str(active.id), str(people[1].id), str(unknown), str(ada.id), str(people[0].id)]
    answer = await ada.program.post(URL, {"ids": ids, "action": "approve", "reason": "All known."})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [(item["id"], item["outcome"], item["code"]) for item in body["items"]] == [
        (ids[0], "done", None),
        (ids[1], "refused", "status_changed"),
        (ids[2], "done", None),
        (ids[3], "refused", "not_found"),
        (ids[4], "refused", "own_account"),
    ]
    assert (body["done"], body["refused"], body["confirmed"]) == (2, 3, None)
    assert await statuses(site, people) == ["active", "active", "pending"]
    for person in people[:2]:
        assert len(await site.events(person.id, "account.approved")) == 1


async def test_suspending_many_ends_what_they_have_until_a_day(site: Site, ada: Person) -> None:
    people = [await makers.signed_in(site, "sponsor") for _ in range(2)]
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    body = {"ids": [str(person.id) for person in people], "action": "suspend", "reason": "Spam.", "until": until}
    answer = (await ada.program.post(URL, body)).json()
    assert answer["ended"] == {"sessions": 2, "grants": 2, "keys": 0}
    assert answer["confirmed"]["confirmed"] >= 1
    shown = (await ada.program.get(f"/api/v1/admin/people/{people[0].id}")).json()
    assert datetime.fromisoformat(shown["status_until"]) == datetime.fromisoformat(until)


async def test_the_last_admin_stays_also_among_many(empty_house: Site) -> None:
    one, other = [await makers.signed_in(empty_house, "admin") for _ in range(2)]
    ids = [str(one.id), str(other.id)]
    body = (await one.program.post(URL, {"ids": ids, "action": "suspend", "reason": "Everybody out."})).json()
    assert [item["code"] for item in body["items"]] == ["own_account", None]
    assert await statuses(empty_house, [one, other]) == ["active", "suspended"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ids": []}, "ids"),
        ({"ids": [str(uuid4()) for _ in range(101)]}, "ids"),
        ({"ids": ["1"]}, "ids"),
        ({"action": "promote"}, "action"),
        ({"reason": ""}, "reason"),
        ({"until": "2020-01-01T00:00:00Z", "action": "suspend"}, "until"),
        ({"until": "2099-01-01T00:00:00", "action": "suspend"}, "until"),
        ({"until": "2099-01-01T00:00:00Z", "action": "approve"}, "until"),
        ({"everybody": True}, "everybody"),
    ],
)
async def test_what_is_no_such_decision_is_refused(ada: Person, change: dict[str, object], field: str) -> None:
    body = {"ids": [str(uuid4())], "action": "approve", "reason": "x"} | change
    refused = await ada.program.post(URL, body)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


async def test_strangers_decide_about_nobody(site: Site, alice: Person) -> None:
    people = await three(site)
    body = {"ids": [str(person.id) for person in people], "action": "approve", "reason": "x"}
    assert (await alice.program.post(URL, body)).status_code == 403
    assert (await site.program().post(URL, body)).status_code == 401
    assert await statuses(site, people) == ["pending"] * 3


async def test_a_page_shows_whom_and_asks_why(site: Site, ada: Person) -> None:
    people, active = await three(site), await makers.person(site, name="Quarta")
    shown = await choose(ada.browser, [*people, active], "approve")
    assert "Approve 3 people?" in shown
    assert all(person.email in shown for person in people)
    assert "Left out" in shown
    assert "Quarta" in shown
    assert await statuses(site, people) == ["pending"] * 3, "nothing has happened yet"
    done = await ada.browser.post(f"{PAGE}/decide", {"reason": "All known.", "message": "Welcome."}, page=PAGE)
    shown = (await ada.browser.follow(done)).text
    assert "3 approved, 1 refused." in shown
    assert "This account is active, so it cannot be approved." in shown
    assert await statuses(site, people) == ["active"] * 3


async def test_what_was_typed_survives_and_the_choice_too(site: Site, ada: Person) -> None:
    people = await three(site, "active")
    await choose(ada.browser, people, "suspend")
    wrong = {"reason": "Because.", "message": "Dear all", "until": "2020-01-01T00:00"}
    answer = await ada.browser.post(f"{PAGE}/decide", wrong, page=PAGE)
    assert answer.status_code == 422
    assert all(text in answer.text for text in ("Because.", "Dear all", "Choose a moment in the future.", "Una"))
    answer = await ada.browser.post(f"{PAGE}/decide", wrong | {"until": ""}, page=PAGE)
    assert (await ada.browser.follow(answer)).status_code == 200
    assert await statuses(site, people) == ["suspended"] * 3


async def test_nobody_ticked_is_said(ada: Person) -> None:
    assert "Tick the people you mean first" in await choose(ada.browser, [], "approve")


async def test_the_second_step_does_not_come_first(site: Site) -> None:
    admin = await makers.signed_in(site, "admin")
    for answer in (
        await admin.browser.get(PAGE),
        await admin.browser.get(f"{PAGE}/done"),
        await admin.browser.post(f"{PAGE}/decide", {"reason": "x"}, page="/admin/people"),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/people")
    assert "comes after another one" in (await admin.browser.get("/admin/people")).text


async def test_a_step_is_passed_in_one_session_and_used_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, people = await makers.signed_in(site, "admin"), await three(site)
    elsewhere = site.browser()
    await elsewhere.sign_in(admin.email, admin.password)
    await choose(admin.browser, people, "approve")
    assert (await elsewhere.get(PAGE)).status_code == 303, "another session of the same person has not passed it"
    form = {"reason": "x", "form_token": await admin.browser.token(PAGE)}
    answers = await asyncio.gather(*(admin.browser.send(f"{PAGE}/decide", form) for _ in range(4)))
    assert sorted(answer.headers["location"] for answer in answers) == ["/admin/people"] * 3 + [f"{PAGE}/done"]
    for person in people:
        assert len(await site.events(person.id, "account.approved")) == 1
    await choose(admin.browser, people, "suspend")
    monkeypatch.setattr("app.accounts.steps.STEP_LIFE", 0.0)
    assert (await admin.browser.get(PAGE)).status_code == 303, "a step waits for so long and no longer"
    assert steps.STEP_LIFE > 0
