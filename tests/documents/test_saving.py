"""Saving a document's text: versions, preconditions, and two people who save at once."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests import makers
from tests.cast import Person
from tests.site import Site


def url(document: dict[str, object]) -> str:
    return f"/api/v1/documents/{document['id']}"


async def test_a_change_needs_the_version_it_starts_from(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    refused = await bob.program.patch(url(made), {"body": "x"})
    assert (refused.status_code, refused.json()["code"]) == (428, "precondition_required")
    stale = await bob.program.patch(url(made), {"body": "x"}, If_Match='"99"')
    assert (stale.status_code, stale.json()["code"], stale.json()["current_version"]) == (412, "stale", 1)
    saved = await bob.program.patch(url(made), {"body": "x"}, If_Match='"1"')
    assert (saved.status_code, saved.headers["etag"], saved.json()["version"]) == (200, '"2"', 2)
    again = await bob.program.patch(url(made), {"body": "y"}, If_Match='"1"')
    assert (again.status_code, again.json()["current_version"]) == (412, 2)
    assert (await alice.program.get(url(made))).json()["body"] == "x"


@pytest.mark.parametrize(
    "tag", ["1", 'W/"1"', '"x"', '""', '"1', '"1", "2"', '"-1"', '"1e3"', '"' + "9" * 50 + '"', "x"]
)
async def test_odd_tags_never_match(alice: Person, bob: Person, tag: str) -> None:
    made = await makers.document(alice, bob)
    refused = await bob.program.patch(url(made), {"body": "x"}, If_Match=tag)
    assert refused.status_code == 412
    assert (await bob.program.get(url(made))).json() == made


async def test_a_star_matches_whatever_is_there(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    assert (await bob.program.patch(url(made), {"body": "x"}, If_Match="*")).status_code == 200


async def test_a_reader_who_holds_it_gets_304(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    for tags in ('"1"', 'W/"1"', '"7", "1"', "*"):
        held = await alice.program.get(url(made), If_None_Match=tags)
        assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", '"1"')
    assert (await alice.program.get(url(made), If_None_Match='"2"')).status_code == 200


async def test_only_what_is_sent_changes(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    saved = (await alice.program.patch(url(made), {"title": "New"}, If_Match='"1"')).json()
    assert (saved["title"], saved["brief"], saved["body"]) == ("New", made["brief"], made["body"])
    same = await alice.program.patch(url(made), {"title": "New"}, If_Match='"2"')
    assert (same.status_code, same.headers["etag"], same.json()["version"]) == (200, '"2"', 2)
    nothing = await alice.program.patch(url(made), {}, If_Match='"2"')
    assert (nothing.status_code, nothing.headers["etag"]) == (200, '"2"')


@pytest.mark.parametrize(
    "changes",
    [
        {"title": None},
        {"title": ""},
        {"body": None},
        {"body": 1},
        {"editor_id": "x"},
        {"state": "published"},
        {"version": 2},
        {"sponsor_id": None},
        {"id": "x"},
    ],
)
async def test_what_cannot_be_changed(alice: Person, bob: Person, changes: dict[str, object]) -> None:
    made = await makers.document(alice, bob)
    refused = await alice.program.patch(url(made), changes, If_Match='"1"')
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == changes.keys()
    assert (await alice.program.get(url(made))).json() == made


async def test_of_many_who_save_at_once_one_wins(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    saves = [bob.program.patch(url(made), {"body": f"text {number}"}, If_Match='"1"') for number in range(12)]
    answers = await asyncio.gather(*saves)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 11
    won = next(answer.json()["body"] for answer in answers if answer.status_code == 200)
    found = (await bob.program.get(url(made))).json()
    assert (found["body"], found["version"]) == (won, 2)


async def test_every_save_is_a_version(site: Site, alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="one")
    for number, text in enumerate(("two", "three"), 1):
        await bob.program.patch(url(made), {"body": text}, If_Match=f'"{number}"')
    listed = (await alice.program.get(f"{url(made)}/versions")).json()
    assert [(row["version"], row["saved_by_name"]) for row in listed["items"]] == [(3, "Bob"), (2, "Bob"), (1, "Alice")]
    kept = [(await alice.program.get(f"{url(made)}/versions/{number}")).json() for number in (1, 2, 3)]
    assert [version["body"] for version in kept] == ["one", "two", "three"]
    assert [event.kind for event in await site.events(made["id"], "document.saved")] == ["document.saved"] * 2


async def test_versions_are_paged(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    for number in range(1, 5):
        await bob.program.patch(url(made), {"body": f"text {number}"}, If_Match=f'"{number}"')
    seen, cursor = [], ""
    while True:
        page = (await bob.program.get(f"{url(made)}/versions?limit=2{cursor}")).json()
        seen += [row["version"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2, 1]
    for query in ("cursor=x", "cursor=-1", "cursor=1e3", "limit=0", "cursor=" + "9" * 30):
        assert (await bob.program.get(f"{url(made)}/versions?{query}")).status_code == 422


async def fields(person: Person, path: str) -> dict[str, str]:
    """What the form on a document's page would send if nothing were changed."""
    page = (await person.browser.get(path)).text
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return {"version": found[1]}


async def test_saving_by_page(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    path = f"/editor/documents/{made['id']}"
    form = await fields(bob, path) | {"title": "New", "body": "New text\r\n", "note": "First draft"}
    answer = await bob.browser.post(path, form)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    shown = (await bob.browser.follow(answer)).text
    assert "Saved. Every version is kept." in shown
    assert "First draft" in shown
    found = (await alice.program.get(url(made))).json()
    assert (found["title"], found["body"], found["version"]) == ("New", "New text\n", 2)
    assert found["brief"] == made["brief"]


async def test_two_people_saving_by_page_lose_nothing(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="first line\nsecond line\n")
    mine, theirs = f"/sponsor/documents/{made['id']}", f"/editor/documents/{made['id']}"
    form = await fields(alice, mine) | {"title": "Hers", "brief": "Her brief", "body": "first line\nher line\n"}
    his = await fields(bob, theirs) | {"title": "His", "body": "first line\nhis line\n"}
    assert (await bob.browser.post(theirs, his)).status_code == 303
    conflict = await alice.browser.post(mine, form)
    assert conflict.status_code == 409
    for words in ("her line", "his line", "Her brief", 'value="Hers"', "Somebody else saved this"):
        assert words in conflict.text
    version = re.search(r'name="version" value="(\d+)"', conflict.text)
    assert version
    assert version[1] == "2"
    merged = form | {"version": "2", "body": "first line\nboth lines\n"}
    assert (await alice.browser.post(mine, merged)).status_code == 303
    found = (await bob.program.get(url(made))).json()
    assert (found["body"], found["version"]) == ("first line\nboth lines\n", 3)


@pytest.mark.parametrize("version", ["", "x", "-1", "1.5", "²", "9" * 13])
async def test_a_form_must_say_which_version_it_changes(alice: Person, version: str) -> None:
    made = await makers.document(alice)
    page = await alice.browser.post(f"/sponsor/documents/{made['id']}", {"title": "x", "version": version})
    assert page.status_code in (409, 422)
    assert (await alice.program.get(url(made))).json() == made


async def test_what_is_wrong_stands_beside_the_field(alice: Person) -> None:
    made = await makers.document(alice)
    form = {"title": "", "brief": "Kept", "body": "Kept words", "version": "1"}
    page = await alice.browser.post(f"/sponsor/documents/{made['id']}", form)
    assert page.status_code == 422
    assert "Kept words" in page.text
    assert 'id="title-error"' in page.text


async def test_an_editors_form_cannot_change_brief_or_editor(alice: Person, bob: Person, edith: Person) -> None:
    made = await makers.document(alice, bob)
    form = {"title": "T", "body": "B", "brief": "Changed", "editor_id": str(edith.id), "version": "1"}
    assert (await bob.browser.post(f"/editor/documents/{made['id']}", form)).status_code == 303
    found = (await alice.program.get(url(made))).json()
    assert (found["brief"], found["editor_id"], found["body"]) == (made["brief"], str(bob.id), "B")


async def test_nobody_writes_when_it_is_not_theirs_to_write(alice: Person, bob: Person) -> None:
    for state, may in {
        "in_progress": {"alice": 200, "bob": 200},
        "handed_in": {"alice": 200, "bob": 403},
        "returned": {"alice": 200, "bob": 200},
        "accepted": {"alice": 200, "bob": 403},
        "published": {"alice": 403, "bob": 403},
        "cancelled": {"alice": 403, "bob": 403},
    }.items():
        made = await makers.document(alice, bob, state)
        for who, status in (("bob", may["bob"]), ("alice", may["alice"])):
            person = alice if who == "alice" else bob
            tag = (await person.program.get(url(made))).headers["etag"]
            saved = await person.program.patch(url(made), {"body": f"by {who}"}, If_Match=tag)
            assert saved.status_code == status, (state, who)
            if status == 403:
                assert saved.json()["code"] == "not_writable"
