"""Giving and taking roles: exactly those named, at once, never one's own, never the last administrator's."""

from __future__ import annotations

import pytest

from tests import makers
from tests.cast import Person
from tests.site import Site
from tests.soon import soon


def url(person: Person) -> str:
    return f"/api/v1/admin/people/{person.id}/roles"


async def test_a_person_gets_exactly_these_roles(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor")
    given = await ada.program.put(url(person), {"roles": ["editor", "member", "editor"], "reason": "They write now."})
    assert given.status_code == 200
    assert given.json()["roles"] == ["member", "editor"]
    assert given.json()["history"][0]["from_roles"] == ["sponsor"]
    event = (await site.events(person.id))[-1]
    assert (event.kind, event.details["to"]) == ("account.roles_changed", ["member", "editor"])


async def test_a_role_taken_away_closes_its_rooms_at_once(site: Site, ada: Person, bob: Person) -> None:
    person = await makers.signed_in(site, "sponsor", "editor")
    made = await makers.document(person, bob)
    taken = await ada.program.put(url(person), {"roles": ["editor"], "reason": "No longer a sponsor."})
    assert taken.status_code == 200
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    await soon(lambda: person.browser.get("/sponsor/dashboard"), 303)
    await person.sign_in()
    assert (await person.browser.get("/sponsor/dashboard")).status_code == 403
    assert (await person.program.get(f"/api/v1/documents/{made['id']}")).status_code == 404
    assert (await person.program.get("/api/v1/documents")).json()["items"] == []
    assert (await person.program.post("/api/v1/documents", {"title": "Mine"})).status_code == 403


async def test_the_same_roles_change_nothing(site: Site, ada: Person) -> None:
    person = await makers.signed_in(site, "sponsor")
    same = await ada.program.put(url(person), {"roles": ["sponsor"], "reason": "Just to be sure."})
    assert same.status_code == 200
    assert (await person.program.get("/api/v1/me")).status_code == 200
    assert "account.roles_changed" not in [event.kind for event in await site.events(person.id)]


@pytest.mark.parametrize(
    "body",
    [
        {"roles": [], "reason": "x"},
        {"roles": ["owner"], "reason": "x"},
        {"roles": "admin", "reason": "x"},
        {"roles": [None], "reason": "x"},
        {"roles": {"admin": True}, "reason": "x"},
        {"roles": ["member"] * 5, "reason": "x"},
        {"roles": ["member"], "reason": ""},
        {"roles": ["member"]},
        {"reason": "x"},
        {"roles": ["member"], "reason": "x", "status": "active"},
    ],
)
async def test_what_is_no_list_of_roles_is_refused(site: Site, ada: Person, body: dict[str, object]) -> None:
    person = await makers.person(site, "sponsor")
    refused = await ada.program.put(url(person), body)
    assert refused.status_code == 422
    assert (await ada.program.get(f"/api/v1/admin/people/{person.id}")).json()["roles"] == ["sponsor"]


async def test_nobody_changes_their_own_roles(site: Site, ada: Person) -> None:
    refused = await ada.program.put(url(ada), {"roles": ["admin", "sponsor"], "reason": "I want more."})
    assert (refused.status_code, refused.json()["code"]) == (403, "own_account")
    sponsor = await makers.signed_in(site, "sponsor")
    grab = await sponsor.program.put(url(sponsor), {"roles": ["admin"], "reason": "I want all."})
    assert grab.status_code == 403
    assert (await sponsor.program.get("/api/v1/me")).json()["roles"] == ["sponsor"]


async def test_an_admin_may_be_made_and_unmade_by_another(site: Site, ada: Person) -> None:
    person = await makers.person(site, "editor")
    assert (await ada.program.put(url(person), {"roles": ["admin"], "reason": "Trusted."})).status_code == 200
    await person.sign_in()
    assert (await person.browser.get("/admin/")).status_code == 200
    assert (await ada.program.put(url(person), {"roles": ["editor"], "reason": "Done."})).status_code == 200
    await soon(lambda: person.program.get("/api/v1/admin/people"), 401)
