"""An entry changed by whoever wrote it: every save a version, nothing lost, withdrawn and brought back; nobody else's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.documents.test_merging import field
from tests.site import Site

BASE = "first\n\nsecond\n\nthird\n"


def url(entry: dict[str, Any]) -> str:
    return f"/api/v1/entries/{entry['id']}"


async def changed(author: Person, *bodies: str, title: str = "On copying") -> dict[str, Any]:
    """An entry with one version more than there are `bodies`."""
    made = await makers.entry(author, title, BASE)
    for number, body in enumerate(bodies, 1):
        saved = await author.program.patch(url(made), {"body": body}, If_Match=f'"{number}"')
        assert saved.status_code == 200, saved.text
    return made


async def test_a_change_is_what_readers_see(max: Person, cast: Cast) -> None:
    made = await makers.entry(max, "On copying", BASE)
    page = (await max.browser.get(f"/entry/{made['id']}")).text
    assert f'href="/entry/{made["id"]}/edit"' in page
    assert "/edit" not in (await cast.alice.browser.get(f"/entry/{made['id']}")).text
    form = (await max.browser.get(f"/entry/{made['id']}/edit")).text
    assert field(form, "body") == BASE
    sent = {"title": "On copying well", "body": BASE + "fourth\n", "tags": "Ink, Book  History", "version": "1"}
    done = await max.browser.post(f"/entry/{made['id']}/edit", sent)
    assert (done.status_code, done.headers["location"]) == (303, f"/entry/{made['id']}")
    assert "Saved. Readers see it so from now on" in (await max.browser.follow(done)).text
    read = (await cast.visitor.program.get(url(made))).json()
    assert (read["title"], read["body"], read["version"]) == ("On copying well", BASE + "fourth\n", 2)
    assert read["tags"] == ["ink", "book-history"]
    assert read["published_at"] == made["published_at"]
    assert read["updated_at"] > made["updated_at"]
    moved = await cast.visitor.browser.get(f"/entry/{made['id']}/on-copying")
    assert (moved.status_code, moved.headers["location"]) == (301, f"/entry/{made['id']}/on-copying-well")


async def test_a_program_says_what_it_starts_from(max: Person, site: Site) -> None:
    made = await makers.entry(max, body=BASE)
    assert (await max.program.patch(url(made), {"body": "x"})).status_code == 428
    done = await max.program.patch(url(made), {"body": "x"}, If_Match='"1"')
    assert (done.status_code, done.headers["etag"], done.json()["version"]) == (200, '"2"', 2)
    stale = await max.program.patch(url(made), {"body": "y"}, If_Match='"1"')
    assert (stale.status_code, stale.json()["current_version"]) == (412, 2)
    same = await max.program.patch(url(made), {"body": "x"}, If_Match='"2"')
    assert same.headers["etag"] == '"2"', "what changes nothing is no version"
    assert [event.kind for event in await site.events(made["id"])] == ["entry.published", "entry.edited"]


async def test_every_save_is_kept(max: Person) -> None:
    made = await changed(max, "second text", "third text")
    listed = (await max.program.get(f"{url(made)}/versions")).json()["items"]
    assert [(row["version"], row["summary"]) for row in listed] == [
        (3, "Changed text"),
        (2, "Changed text"),
        (1, "Published"),
    ]
    assert listed[2]["saved_at"] == made["published_at"]
    assert {row["saved_by_name"] for row in listed} == {"Max"}
    first = (await max.program.get(f"{url(made)}/versions/1")).json()
    assert (first["title"], first["body"], first["tags"]) == ("On copying", BASE, [])
    page = (await max.program.get(f"{url(made)}/versions?limit=2")).json()
    rest = (await max.program.get(f"{url(made)}/versions?limit=2&cursor={page['next_cursor']}")).json()
    assert [row["version"] for row in page["items"] + rest["items"]] == [3, 2, 1]
    found = (await max.program.get(f"{url(made)}/diff?from=2&to=3")).json()
    assert (found["body"]["added"], found["body"]["removed"], found["title"]) == (1, 1, None)


async def test_what_was_never_changed_is_its_own_history(max: Person) -> None:
    made = await makers.entry(max, body=BASE)
    (only,) = (await max.program.get(f"{url(made)}/versions")).json()["items"]
    assert (only["version"], only["summary"]) == (1, "Published")
    assert (await max.program.get(f"{url(made)}/versions?cursor=1")).status_code == 422
    assert (await max.program.get(f"{url(made)}/versions/1")).json()["body"] == BASE
    for number in (0, 2, 10**30):
        assert (await max.program.get(f"{url(made)}/versions/{number}")).status_code == 404
    assert "still as you published it" in (await max.browser.get(f"/entry/{made['id']}/versions")).text


async def test_its_pages_show_and_compare_and_restore(max: Person) -> None:
    made = await changed(max, "first\n\nSECOND\n\nthird\n")
    here = f"/entry/{made['id']}"
    assert f'href="{here}/versions/1"' in (await max.browser.get(f"{here}/versions")).text
    old = (await max.browser.get(f"{here}/versions/1")).text
    assert "<p>second</p>" in old
    page = (await max.browser.get(f"{here}/compare?from=2&to=1")).text
    assert "<del>second</del>" in page
    assert "<ins>SECOND</ins>" in page
    stale = await max.browser.post(f"{here}/versions/1/restore", {"version": "1"}, page=here)
    assert "it was saved in between" in (await max.browser.follow(stale)).text
    newest = re.search(r'name="version" value="(\d+)"', old)
    assert newest
    done = await max.browser.post(f"{here}/versions/1/restore", {"version": newest[1]}, page=here)
    assert "Version 1 is restored" in (await max.browser.follow(done)).text
    shown = (await max.program.get(url(made))).json()
    assert (shown["body"], shown["version"]) == (BASE, 3)
    again = await max.program.post(f"{url(made)}/restore", {"version": 2}, If_Match='"3"')
    assert (again.status_code, again.json()["version"]) == (200, 4)
    assert (await max.program.post(f"{url(made)}/restore", {"version": 2}, If_Match='"3"')).status_code == 412
    assert (await max.program.post(f"{url(made)}/restore", {"version": 9}, If_Match='"4"')).status_code == 404


async def test_two_windows_lose_nothing(max: Person) -> None:
    made = await changed(max, BASE.replace("first", "FIRST"))
    mine = {"title": "Mine", "body": BASE.replace("third", "THIRD"), "tags": "ink", "version": "1"}
    page = await max.browser.post(f"/entry/{made['id']}/edit", mine)
    assert page.status_code == 409
    assert field(page.text, "body") == "FIRST\n\nsecond\n\nTHIRD\n"
    assert 'value="Mine"' in page.text
    both = {"title": "Mine", "body": field(page.text, "body"), "tags": "ink", "version": "2", "merging": "1"}
    assert (await max.browser.post(f"/entry/{made['id']}/edit", both)).status_code == 303
    clash = await max.browser.post(f"/entry/{made['id']}/edit", mine | {"body": BASE.replace("first", "Erst")})
    marked = field(clash.text, "body")
    assert "Erst" in marked
    assert "FIRST" in marked
    refused = await max.browser.post(f"/entry/{made['id']}/edit", both | {"body": marked, "version": "3"})
    assert refused.status_code == 409
    assert "take the marks out" in refused.text
    nameless = await max.browser.post(f"/entry/{made['id']}/edit", {"title": "T", "body": "my words"})
    assert (nameless.status_code, "my words" in nameless.text) == (409, True)


async def test_an_unsaved_change_is_found_again(max: Person) -> None:
    made = await makers.entry(max, body=BASE)
    here = f"/entry/{made['id']}/edit"
    typed = {"place": f"entry:{made['id']}", "title": "On copying", "body": "half a sen", "tags": "ink", "version": "1"}
    assert (await max.browser.post("/drafts", typed, page=here)).status_code == 200
    assert "You have a draft that you did not save" in (await max.browser.get(here)).text
    opened = (await max.browser.get(f"{here}?draft=1")).text
    assert field(opened, "body") == "half a sen"
    assert 'name="tags" type="text" value="ink"' in opened
    sent = {"title": "On copying", "body": "half a sentence", "version": "1"}
    assert (await max.browser.post(here, sent)).status_code == 303
    assert "draft-found" not in (await max.browser.get(here)).text


async def test_withdrawing_and_publishing_again(max: Person, cast: Cast, site: Site) -> None:
    made = await makers.entry(max, "Soon withdrawn", BASE)
    here = f"/entry/{made['id']}"
    gone = await max.browser.post(f"{here}/withdraw", page=f"{here}/edit")
    assert gone.headers["location"] == f"{here}/edit"
    assert "You withdrew this entry" in (await max.browser.follow(gone)).text
    for caller in (cast.visitor, max):
        assert (await caller.browser.get(here)).status_code == 410
        assert (await caller.program.get(url(made))).status_code == 410
    assert "Soon withdrawn" not in (await cast.visitor.browser.get("/")).text
    assert (await max.program.delete(url(made))).status_code == 410
    fixed = await max.program.patch(url(made), {"body": "better"}, If_Match='"1"')
    assert fixed.json()["withdrawn_at"] is not None
    back = await max.browser.post(f"{here}/publish", page=f"{here}/edit")
    assert "Published again" in (await max.browser.follow(back)).text
    shown = (await cast.visitor.program.get(url(made))).json()
    assert (shown["body"], shown["published_at"]) == ("better", made["published_at"])
    assert (await max.program.post(f"{url(made)}/publish")).status_code == 409
    assert (await max.program.delete(url(made))).status_code == 204
    assert (await max.program.post(f"{url(made)}/publish")).json()["withdrawn_at"] is None
    kinds = [event.kind for event in await site.events(made["id"])]
    assert kinds.count("entry.withdrawn") == 2
    assert kinds.count("entry.published") == 3


PAGES = ("edit", "versions", "versions/1", "compare?from=1&to=1")
CALLS = ("versions", "versions/1", "diff?from=1&to=1")


async def test_nobody_changes_what_another_wrote(max: Person, cast: Cast) -> None:
    made = await changed(max, "second text")
    here = f"/entry/{made['id']}"
    for who in (cast.alice, cast.ada):
        for path in PAGES:
            assert (await who.browser.get(f"{here}/{path}")).status_code == 404, path
        for path in CALLS:
            assert (await who.program.get(f"{url(made)}/{path}")).status_code == 404, path
        sent = {"title": "Mine now", "body": "x", "version": "2"}
        assert (await who.browser.post(f"{here}/edit", sent, page="/entry")).status_code == 404
        for path in ("withdraw", "publish", "versions/1/restore"):
            assert (await who.browser.post(f"{here}/{path}", {"version": "2"}, page="/entry")).status_code == 404
        assert (await who.program.patch(url(made), {"body": "x"}, If_Match="*")).status_code == 404
        assert (await who.program.post(f"{url(made)}/restore", {"version": 1}, If_Match="*")).status_code == 404
        assert (await who.program.post(f"{url(made)}/publish")).status_code == 404
        assert (await who.program.delete(url(made))).status_code == 404
    assert (await cast.visitor.program.patch(url(made), {"body": "x"}, If_Match="*")).status_code == 401
    assert (await max.program.get(url(made))).json()["body"] == "second text"


async def test_an_entry_from_a_document_follows_the_document(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob, "published")
    entry_id = made["entry_id"]
    page = await cast.bob.browser.get(f"/entry/{entry_id}/edit")
    assert page.status_code == 403
    assert "This entry came from a document" in page.text
    refused = await cast.bob.program.patch(f"/api/v1/entries/{entry_id}", {"body": "x"}, If_Match="*")
    assert (refused.status_code, refused.json()["code"]) == (403, "from_document")
    assert (await cast.bob.program.delete(f"/api/v1/entries/{entry_id}")).status_code == 403
    assert f"/entry/{entry_id}/edit" not in (await cast.bob.browser.get(f"/entry/{entry_id}")).text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "a\nb"),
        ("body", "bell \x07"),
        ("tags", ["!!!"]),
        ("tags", ["x" * 41]),
        ("tags", [f"tag {number}" for number in range(11)]),
        ("tags", "ink"),
        ("unknown", 1),
    ],
)
async def test_what_cannot_be_saved(max: Person, field: str, value: Any) -> None:
    made = await makers.entry(max, body=BASE)
    refused = await max.program.patch(url(made), {field: value}, If_Match='"1"')
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {field})
    assert (await max.program.get(url(made))).json()["version"] == 1


async def test_a_form_that_cannot_be_saved_is_shown_again(max: Person) -> None:
    made = await makers.entry(max, body=BASE)
    sent = {"title": "", "body": "kept words", "tags": "???", "version": "1"}
    page = await max.browser.post(f"/entry/{made['id']}/edit", sent)
    assert page.status_code == 422
    assert field(page.text, "body") == "kept words"
    assert 'id="title-error"' in page.text
    tags = await max.browser.post(f"/entry/{made['id']}/edit", sent | {"title": "T"})
    assert (tags.status_code, 'id="tags-error"' in tags.text) == (422, True)
    fresh = await max.browser.post("/entry", {"title": "T", "body": "kept words", "tags": "???"})
    assert (fresh.status_code, field(fresh.text, "body")) == (422, "kept words")


async def test_words_of_addresses_are_no_titles(max: Person, cast: Cast) -> None:
    made = await makers.entry(max, "Edit")
    assert (await cast.visitor.browser.get(f"/entry/{made['id']}/entry-edit")).status_code == 200


async def test_what_one_has_published_is_listed(site: Site) -> None:
    nora = await makers.signed_in(site)
    assert "You have not published anything yet" in (await nora.browser.get("/entries")).text
    first, second = await makers.entry(nora, "Kept"), await makers.entry(nora, "Taken back")
    await nora.program.delete(url(second))
    page = (await nora.browser.get("/entries")).text
    assert page.index("Taken back") < page.index("Kept")
    assert f'href="/entry/{second["id"]}/edit">Taken back' in page
    assert f'href="/entry/{first["id"]}">Kept' in page
    assert "Withdrawn" in page
    other = await makers.signed_in(site)
    assert "Taken back" not in (await other.browser.get("/entries")).text
    assert (await site.browser().get("/entries")).headers["location"].startswith("/login")
