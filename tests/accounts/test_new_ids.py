"""A session's id changes with its person's rights, and what was typed into an open page still counts."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.web.parsing import FORM_TOKEN
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site

COOKIE = "scriptorium"


async def waiting(site: Site, status: str) -> Person:
    """Somebody who is signed in and can do nothing yet."""
    person = await makers.person(site, "sponsor", status=status)
    answer = await person.browser.sign_in(person.email, person.password)
    assert answer.headers["location"] == "/account/status"
    return person


async def decide(ada: Person, person: Person, verb: str) -> None:
    answer = await ada.program.post(f"/api/v1/admin/people/{person.id}/{verb}", {"reason": "for a test"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("status", "verb"), [("pending", "approve"), ("suspended", "reinstate")])
async def test_rights_that_grow_come_with_a_new_id(site: Site, ada: Person, status: str, verb: str) -> None:
    person = await waiting(site, status)
    known = person.browser.copy(site.app)  # whoever saw the id before
    await decide(ada, person, verb)
    page = await person.browser.get("/sponsor/dashboard")
    assert page.status_code == 200
    assert person.browser.cookies()[COOKIE] != known.cookies()[COOKIE]
    assert (await person.browser.get("/sponsor/dashboard")).status_code == 200
    assert (await known.get("/sponsor/dashboard")).headers["location"].startswith("/login")
    await known.close()


async def test_it_is_the_same_session_and_is_told_once(site: Site, ada: Person) -> None:
    person = await waiting(site, "pending")
    await decide(ada, person, "approve")
    for _ in range(2):
        assert (await person.browser.get("/account/sessions")).text.count("This one</span>") == 1
    (row,) = await site.rows("SELECT id, issued_as FROM sessions WHERE person_id = :id", id=person.id)
    assert row.issued_as == "active"
    kinds = [event.kind for event in await site.events(row.id)]
    assert kinds == ["session.opened", "session.reissued"]
    assert "under a new id" in (await person.browser.get("/account/history")).text


async def test_a_form_that_was_open_is_still_good(site: Site, ada: Person) -> None:
    person = await waiting(site, "pending")
    token = await person.browser.token("/logout")
    await decide(ada, person, "approve")
    answer = await person.browser.send("/entry", {FORM_TOKEN: token, "title": "On waiting", "body": "It is over."})
    assert answer.status_code == 303, answer.text
    assert (await person.browser.get(answer.headers["location"])).status_code == 200


async def test_of_many_requests_with_the_old_id_one_gets_the_new_one(site: Site, ada: Person) -> None:
    person = await waiting(site, "pending")
    await decide(ada, person, "approve")
    tabs: list[Browser] = [person.browser.copy(site.app) for _ in range(10)]
    answers: list[httpx.Response] = await asyncio.gather(*(tab.get("/sponsor/dashboard") for tab in tabs))
    assert sorted(answer.status_code for answer in answers) == [200] + [303] * 9
    given = [answer for answer in answers if COOKIE in answer.cookies]
    assert [answer.status_code for answer in given] == [200]
    # The others' browser has the new cookie by the time it follows them, and is sent on to where it wanted.
    person.browser.http.cookies.update(given[0].cookies)
    turned = next(answer for answer in answers if answer.status_code == 303)
    assert (await person.browser.follow(turned)).headers["location"] == "/sponsor/dashboard"
    for tab in tabs:
        await tab.close()


async def test_a_suspension_that_ends_by_itself_changes_it_too(site: Site) -> None:
    person = await waiting(site, "suspended")
    before = person.browser.cookies()[COOKIE]
    await site.change("UPDATE people SET status_until = now() - interval '1 second' WHERE id = :id", id=person.id)
    assert (await person.browser.get("/sponsor/dashboard")).status_code == 200
    assert person.browser.cookies()[COOKIE] != before
