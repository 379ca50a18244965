"""One's own sessions: seen and ended from the page and by programs, and nobody else's."""

from __future__ import annotations

from uuid import uuid4

from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site
from tests.soon import soon

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def two_browsers(site: Site) -> tuple[Person, Browser]:
    person = await makers.signed_in(site)
    second = site.browser()
    second.http.headers["User-Agent"] = FIREFOX
    await second.sign_in(person.email, person.password)
    return person, second


async def sessions_of(person: Person) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await person.program.get("/api/v1/me/sessions")).json()["items"]
    return items


async def test_the_list_names_devices_and_marks_this_one(site: Site) -> None:
    _, second = await two_browsers(site)
    page = await second.get("/account/sessions")
    assert page.text.count("This one</span>") == 1
    assert "Firefox" in page.text
    assert "127.0.0.1" in page.text


async def test_a_session_is_ended_from_another(site: Site) -> None:
    person, second = await two_browsers(site)
    here = next(item["id"] for item in await sessions_of(person) if "Firefox" in str(item["device"]))
    answer = await person.browser.post(f"/account/sessions/{here}/end", page="/account/sessions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/sessions")
    await soon(lambda: second.get("/account"), 303)
    assert (await person.browser.get("/account")).status_code == 200
    assert [event.kind for event in await site.events(here)] == ["session.opened", "session.ended"]


async def test_ending_this_session_signs_out(site: Site) -> None:
    person = await makers.signed_in(site)
    (only,) = await sessions_of(person)
    answer = await person.browser.post(f"/account/sessions/{only['id']}/end", page="/account/sessions")
    assert answer.headers["location"] == "/"
    await soon(lambda: person.browser.get("/account"), 303)


async def test_all_others_are_ended_at_once(site: Site) -> None:
    person, second = await two_browsers(site)
    third = site.browser()
    await third.sign_in(person.email, person.password)
    answer = await second.post("/account/sessions/end-others", page="/account/sessions")
    assert "2 other sessions ended." in (await second.follow(answer)).text
    await soon(lambda: person.browser.get("/account"), 303)
    await soon(lambda: third.get("/account"), 303)
    assert (await second.get("/account")).status_code == 200
    answer = await second.post("/account/sessions/end-others", page="/account/sessions")
    assert "There were no other sessions." in (await second.follow(answer)).text


async def test_a_program_ends_them_too(site: Site) -> None:
    person, second = await two_browsers(site)
    for item in await sessions_of(person):
        assert (await person.program.delete(f"/api/v1/me/sessions/{item['id']}")).status_code == 204
        assert (await person.program.delete(f"/api/v1/me/sessions/{item['id']}")).status_code == 404
    assert await sessions_of(person) == []
    await soon(lambda: second.get("/account"), 303)


async def test_nobody_ends_or_sees_another_ones(site: Site, charlie: Person) -> None:
    person = await makers.signed_in(site)
    (victim,) = await sessions_of(person)
    for session_id in (victim["id"], uuid4()):
        page = await charlie.browser.post(f"/account/sessions/{session_id}/end", page="/account/sessions")
        assert page.status_code == 404
        assert (await charlie.program.delete(f"/api/v1/me/sessions/{session_id}")).status_code == 404
    assert victim["id"] not in [item["id"] for item in await sessions_of(charlie)]
    assert (await person.browser.get("/account")).status_code == 200


async def test_me_says_who_is_calling(site: Site) -> None:
    person = await makers.signed_in(site, "sponsor", "editor", name="Nora")
    me = (await person.program.get("/api/v1/me")).json()
    assert me == {
        "id": str(person.id),
        "email": person.email,
        "display_name": "Nora",
        "roles": ["editor", "sponsor"],
        "status": "active",
    }
    page = await person.browser.get("/account")
    assert "Nora" in page.text
    assert person.email in page.text
