"""What a decision ends is counted and said, with the confirmation of the workers, on pages and in answers."""

from __future__ import annotations

from uuid import uuid4

from tests import makers
from tests.cast import Person
from tests.site import Site
from tests.soon import soon

REASON = {"reason": "A lost laptop."}


async def holding(site: Site) -> Person:
    """A sponsor with two browsers, two programs and an API key."""
    person = await makers.signed_in(site, "sponsor", name="Sigrid")
    assert (await site.browser().sign_in(person.email, person.password)).status_code == 303
    assert (await site.program().sign_in(person.email, person.password)).status_code == 200
    key = await person.program.post("/api/v1/me/keys", {"name": "reader", "scopes": ["profile:read"]})
    assert key.status_code == 201, key.text
    return person


async def test_an_answer_counts_what_a_suspension_ended(site: Site, ada: Person) -> None:
    person = await holding(site)
    answer = (await ada.program.post(f"/api/v1/admin/people/{person.id}/suspend", REASON)).json()
    assert answer["ended"] == {"sessions": 2, "grants": 2, "keys": 1}
    assert answer["confirmed"]["workers"] == answer["confirmed"]["confirmed"] >= 1
    assert 1 <= answer["confirmed"]["milliseconds"] <= 1000


async def test_what_ended_before_is_not_counted_again(site: Site, ada: Person) -> None:
    person = await holding(site)
    url = f"/api/v1/admin/people/{person.id}"
    await ada.program.post(f"{url}/suspend", REASON)
    assert (await ada.program.post(f"{url}/reinstate", REASON)).json()["confirmed"] is None
    again = (await ada.program.post(f"{url}/suspend", REASON)).json()
    assert again["ended"] == {"sessions": 0, "grants": 0, "keys": 0}


async def test_a_page_says_it_in_one_sentence(site: Site, ada: Person) -> None:
    person = await holding(site)
    page = f"/admin/people/{person.id}"
    shown = await ada.browser.follow(await ada.browser.post(f"{page}/suspend", REASON, page=page))
    assert "Sigrid is suspended now. Ended: 2 sessions, 2 sign-ins of programs, 1 API key." in shown.text
    assert "confirmed within" in shown.text


async def test_changing_roles_counts_too(site: Site, ada: Person) -> None:
    person = await holding(site)
    roles = {"roles": ["member", "editor"], "reason": "Changes sides."}
    answer = (await ada.program.put(f"/api/v1/admin/people/{person.id}/roles", roles)).json()
    assert answer["ended"] == {"sessions": 2, "grants": 2, "keys": 1}
    assert answer["roles"] == ["member", "editor"]


async def test_everything_of_a_person_is_ended_and_their_status_stays(site: Site, ada: Person) -> None:
    person = await holding(site)
    answer = await ada.program.post(f"/api/v1/admin/people/{person.id}/end-sessions")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["ended"]) == ("active", {"sessions": 2, "grants": 2, "keys": 1})
    await soon(lambda: person.browser.get("/sponsor/dashboard"), 303)
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    assert [event.kind for event in await site.events(person.id, "account.sessions")] == ["account.sessions_ended"]
    assert (await person.sign_in()).program.token


async def test_a_page_ends_everything(site: Site, ada: Person) -> None:
    person = await holding(site)
    page = f"/admin/people/{person.id}"
    shown = await ada.browser.follow(await ada.browser.post(f"{page}/end-sessions", REASON, page=page))
    assert "Sigrid is signed out everywhere. Ended: 2 sessions" in shown.text
    event = (await site.events(person.id, "account.sessions"))[-1]
    assert event.actor_id == ada.id
    assert "Signed in with no browser." in shown.text


async def test_one_session_and_one_sign_in_are_ended(site: Site, ada: Person) -> None:
    person = await holding(site)
    url = f"/api/v1/admin/people/{person.id}"
    standing = (await ada.program.get(f"{url}/sessions")).json()
    assert (len(standing["sessions"]), len(standing["sign_ins"])) == (2, 2)
    session, sign_in = standing["sessions"][-1], standing["sign_ins"][-1]
    ended = await ada.program.delete(f"{url}/sessions/{session['id']}")
    assert (ended.status_code, ended.json()["confirmed"]["confirmed"] >= 1) == (200, True)
    assert (await ada.program.delete(f"{url}/sign-ins/{sign_in['id']}")).status_code == 200
    left = (await ada.program.get(f"{url}/sessions")).json()
    assert session not in left["sessions"]
    assert sign_in not in left["sign_ins"]
    assert (len(left["sessions"]), len(left["sign_ins"])) == (1, 1)
    for path in (f"sessions/{session['id']}", f"sign-ins/{sign_in['id']}", f"sessions/{uuid4()}"):
        assert (await ada.program.delete(f"{url}/{path}")).status_code == 404


async def test_a_session_is_ended_only_under_its_owner(site: Site, ada: Person) -> None:
    person, other = await holding(site), await makers.person(site)
    standing = (await ada.program.get(f"/api/v1/admin/people/{person.id}/sessions")).json()
    for kind, name in (("sessions", "sessions"), ("sign-ins", "sign_ins")):
        path = f"/api/v1/admin/people/{other.id}/{kind}/{standing[name][0]['id']}"
        assert (await ada.program.delete(path)).status_code == 404
    assert (await person.browser.get("/sponsor/dashboard")).status_code == 200


async def test_the_persons_page_ends_one(site: Site, ada: Person) -> None:
    person = await holding(site)
    page = f"/admin/people/{person.id}"
    standing = (await ada.program.get(f"/api/v1/admin/people/{person.id}/sessions")).json()
    for kind, row in (("sessions", standing["sessions"][0]), ("sign-ins", standing["sign_ins"][0])):
        path = f"{page}/{kind}/{row['id']}/end"
        assert path in (await ada.browser.get(page)).text
        shown = await ada.browser.follow(await ada.browser.post(path, page=page))
        assert "confirmed within" in shown.text
        assert path not in shown.text


async def test_all_sessions_are_listed_searched_and_ended(site: Site, ada: Person) -> None:
    person = await holding(site)
    found = (await ada.program.get(f"/api/v1/admin/sessions?q={person.email}")).json()
    assert [row["person_id"] for row in found["items"]] == [str(person.id)] * 2
    first = (await ada.program.get(f"/api/v1/admin/sessions?limit=1&q={person.email}")).json()
    rest = (await ada.program.get(f"/api/v1/admin/sessions?q={person.email}&cursor={first['next_cursor']}")).json()
    assert first["items"] + rest["items"] == found["items"]
    path = f"/admin/sessions/{person.id}/{found['items'][0]['id']}/end"
    assert path in (await ada.browser.get(f"/admin/sessions?q={person.email}")).text
    answer = await ada.browser.post(path, page="/admin/sessions")
    assert "That session is ended." in (await ada.browser.follow(answer)).text
    assert len((await ada.program.get(f"/api/v1/admin/sessions?q={person.email}")).json()["items"]) == 1
