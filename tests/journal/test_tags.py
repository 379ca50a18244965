"""Tags: one way of writing each, on entries and documents, from one to the other, and everything found by them."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import Invalid
from app.ids import new_id
from app.web.tags import in_line, tag, tags
from tests import makers
from tests.cast import Cast, Person
from tests.client import Browser, Program
from tests.documents.test_merging import field
from tests.site import Site


def word() -> str:
    """A tag nothing has yet."""
    return f"t{new_id().hex}"


async def tagged(author: Person, *given: str, title: str = "On copying", body: str = makers.TEXT) -> Any:
    made = await author.program.post("/api/v1/entries", {"title": title, "body": body, "tags": list(given)})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Book  History", "book-history"),
        (" #Ink! ", "ink"),
        ("book_history", "book-history"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("Web 2.0", "web-2.0"),
        ("../..", ""),
        ("a/b?c", "a-b-c"),
        ("हिन्दी किताब", "हिन्दी-किताब"),
        ("墨の話", "墨の話"),
        ("ＩＮＫ", "ink"),  # noqa: RUF001 - that they look like others is what is tested
        ("\u202eink", "ink"),
        ("الحبر", "الحبر"),
        ("!?", ""),
    ],
)
def test_a_tag_is_written_one_way(typed: str, kept: str) -> None:
    assert tag(typed) == kept
    assert tag(kept) == kept


def test_tags_are_bounded_and_each_there_once() -> None:
    assert tags(["Ink", "ink", "#INK", "Paper"]) == ["ink", "paper"]
    assert tags(in_line("ink, , book history; 墨、 paper,")) == ["ink", "book-history", "墨", "paper"]
    for wrong in (["!"], ["x" * 41], [f"n{number}" for number in range(11)], ["\ufdfa" * 3]):
        with pytest.raises(Invalid):
            tags(wrong)


async def test_by_page_and_by_program(max: Person, browser: Browser, program: Program) -> None:
    one = word()
    sent = await max.browser.post("/entry", {"title": "Tagged", "body": "x", "tags": f"{one.upper()}, Book History"})
    assert sent.status_code == 303
    page = (await browser.get(sent.headers["location"])).text
    assert f'<a href="/tag/{one}" rel="tag">' in page
    assert f'<meta property="article:tag" content="{one}">' in page
    shown = (await program.get(f"/api/v1{sent.headers['location'].replace('entry', 'entries', 1)}")).json()
    assert shown["tags"] == [one, "book-history"]
    found = (await program.get(f"/api/v1/entries?tag={one.upper()}")).json()["items"]
    assert [item["id"] for item in found] == [shown["id"]]
    assert (await program.get(f"/api/v1/entries?tag={'x' * 41}")).status_code == 422


async def test_a_page_and_feeds_for_each(max: Person, site: Site, browser: Browser) -> None:
    one = word()
    first, second = await tagged(max, one, title="First of them"), await tagged(max, one, title="Second of them")
    other = await tagged(max, word(), title="Of another kind")
    page = await browser.get(f"/tag/{one}")
    assert page.headers["cache-control"] == "public, no-cache"
    assert page.text.index("Second of them") < page.text.index("First of them")
    assert "Of another kind" not in page.text
    assert f'href="/tag/{one}/feed.atom"' in page.text
    for path in ("feed.atom", "feed.json"):
        feed = (await browser.get(f"/tag/{one}/{path}")).text
        assert all(f"urn:uuid:{made['id']}" in feed for made in (first, second))
        assert f"urn:uuid:{other['id']}" not in feed
        assert (await browser.get(f"/tag/{word()}/{path}")).status_code == 404
    moved = await browser.get(f"/tag/{one.upper()}")
    assert (moved.status_code, moved.headers["location"]) == (301, f"/tag/{one}")
    assert (await browser.get(f"/tag/{word()}")).status_code == 404
    assert (await browser.get("/tag/!!!")).status_code == 404
    assert f'href="/tag/{one}"' in (await browser.get("/tags")).text
    await max.program.delete(f"/api/v1/entries/{first['id']}")
    assert "First of them" not in (await browser.get(f"/tag/{one}")).text


async def test_tags_with_signs_have_addresses(max: Person, browser: Browser) -> None:
    await tagged(max, "c#", "हिन्दी")
    for path in ("/tag/c%23", "/tag/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80"):
        assert (await browser.get(path)).status_code == 200


async def test_a_document_takes_its_tags_along(cast: Cast, program: Program) -> None:
    one, alice, bob = word(), cast.alice, cast.bob
    new = {"title": "T", "body": "x", "editor_id": str(bob.id), "tags": [one]}
    made = (await alice.program.post("/api/v1/documents", new)).json()
    url, here = f"/api/v1/documents/{made['id']}", f"/editor/documents/{made['id']}"
    assert (made["tags"], made["version"], made["revision"]) == ([one], 1, 1)
    page = (await bob.browser.get(here)).text
    assert f'name="tags" type="text" value="{one}"' in page
    typed = {"title": "T", "body": "x", "version": "1", "tags": f"{one}, Second"}
    assert (await bob.browser.post(here, typed)).status_code == 303
    shown = (await alice.program.get(url)).json()
    assert (shown["tags"], shown["version"], shown["revision"]) == ([one, "second"], 1, 2)
    for who in (alice, bob):
        found = (await who.program.get(f"/api/v1/documents?tag={one}")).json()["items"]
        assert [item["id"] for item in found] == [made["id"]]
    assert (await cast.charlie.program.get(f"/api/v1/documents?tag={one}")).json()["items"] == []
    assert made["id"] in (await alice.browser.get(f"/sponsor/documents?tag={one}")).text
    assert "None of your documents has this tag" in (await alice.browser.get(f"/sponsor/documents?tag={word()}")).text
    for who, step in ((bob, "hand-in"), (alice, "accept"), (alice, "publish")):
        published = await makers.take(who, made["id"], step)
    entry = (await program.get(f"/api/v1/entries/{published['entry_id']}")).json()
    assert entry["tags"] == [one, "second"]
    late = await alice.program.patch(url, {"tags": []}, If_Match="*")
    assert (late.status_code, late.json()["code"]) == (403, "not_writable")


@pytest.mark.parametrize("given", [["?"], ["x" * 41], [f"n{number}" for number in range(11)], "ink", [1]])
async def test_what_is_no_tag(cast: Cast, given: Any) -> None:
    made = await makers.document(cast.alice)
    new = {"title": "T", "body": "x", "tags": given}
    for answer in (
        await cast.max.program.post("/api/v1/entries", new),
        await cast.alice.program.post("/api/v1/documents", new),
        await cast.alice.program.patch(f"/api/v1/documents/{made['id']}", {"tags": given}, If_Match="*"),
    ):
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {"tags"})


async def test_pages_say_what_is_wrong_and_keep_the_text(alice: Person) -> None:
    made = await makers.document(alice)
    for path in ("/sponsor/newdocument", f"/sponsor/documents/{made['id']}"):
        page = await alice.browser.post(path, {"title": "T", "body": "kept words", "tags": "??", "version": "1"})
        assert page.status_code == 422
        assert 'id="tags-error"' in page.text
        assert field(page.text, "body") == "kept words"


async def test_the_search_narrows_down_by_them(max: Person, browser: Browser, program: Program) -> None:
    one, rare = word(), word()
    wanted = await tagged(max, one, body=f"About {rare}.")
    await tagged(max, body=f"Also about {rare}.")
    assert len((await program.get(f"/api/v1/search?q={rare}")).json()["items"]) == 2
    found = (await program.get(f"/api/v1/search?q={rare}&tag={one.upper()}")).json()["items"]
    assert [item["id"] for item in found] == [wanted["id"]]
    page = (await browser.get(f"/search?q={rare}&tag={one}")).text
    assert page.count('href="/entry/') == 1
    assert f'value="{one}"' in page
    assert (await program.get(f"/api/v1/search?q={rare}&tag={'x' * 41}")).status_code == 422


async def test_what_is_no_tag_cannot_be_asked_for(cast: Cast, browser: Browser) -> None:
    for path in ("/api/v1/entries?tag=!!", "/api/v1/documents?tag=!!", "/api/v1/search?q=ink&tag=!!"):
        assert (await cast.alice.program.get(path)).status_code == 422, path
    assert (await browser.get("/search?q=ink&tag=!!")).status_code == 422
