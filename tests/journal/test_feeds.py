"""Feeds as strict readers take them: every rule of both formats, on every feed, whatever was published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.ids import new_id
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.journal.feed_rules import atom_problems, json_feed_problems

GOOD = """<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>http://x/</id><title>T</title><updated>2026-01-31T12:00:00Z</updated>
<link rel="self" href="http://x/feed"/><entry><id>urn:uuid:1</id><title>E</title><updated>2026-01-31T12:00:00Z</updated>
<author><name>N</name></author><link rel="alternate" href="http://x/1"/></entry></feed>"""
GOOD_JSON: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "T",
    "items": [{"id": "1", "url": "http://x/1", "content_text": "", "date_published": "2026-01-31T12:00:00Z"}],
}


async def test_every_feed_keeps_every_rule(max: Person, browser: Browser) -> None:
    one = f"t{new_id().hex}"
    for title, body in (
        ("Ink & <paper>", "First \ufffe words & <b>. ]]> &#0; \U0001f58b"),
        ("الحبر", ""),
        ("x" * 200, "```\ncode\n```"),
    ):
        new = {"title": title, "body": body, "tags": [one, "c++", "हिन्दी"]}
        assert (await max.program.post("/api/v1/entries", new)).status_code == 201
    changed = await makers.entry(max, "Changed later")
    await max.program.patch(f"/api/v1/entries/{changed['id']}", {"body": "later", "tags": [one]}, If_Match='"1"')
    for place in ("", f"/tag/{one}", f"/by/{max.id}"):
        atom = await browser.get(f"{place}/feed.atom")
        assert atom_problems(atom.content) == []
        assert b'rel="self" type="application/atom+xml"' in atom.content
        assert atom.content.count(b"<entry>") >= 4
        as_json = await browser.get(f"{place}/feed.json")
        assert as_json.headers["content-type"] == "application/feed+json"
        feed = as_json.json()
        assert json_feed_problems(feed) == []
        assert feed["feed_url"].endswith(f"{place}/feed.json")
        assert feed["items"][0]["tags"] == [one]
        page = (await browser.get(place or "/")).text
        assert f'href="{place}/feed.atom"' in page
        assert f'href="{place}/feed.json"' in page


async def test_an_empty_feed_keeps_them_too(empty_house: Any) -> None:
    browser = empty_house.browser()
    assert atom_problems((await browser.get("/feed.atom")).content) == []
    assert json_feed_problems((await browser.get("/feed.json")).json()) == []


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda feed: feed.replace("<id>http://x/</id>", ""), "the feed has 0 of id"),
        (lambda feed: feed.replace("12:00:00Z</updated>\n<link", "12:00</updated>\n<link"), "the feed is updated at"),
        (lambda feed: feed.replace("<author><name>N</name></author>", ""), "has no author"),
        (lambda feed: feed.replace('<link rel="alternate" href="http://x/1"/>', ""), "neither content nor a page"),
        (lambda feed: feed.replace('href="http://x/1"', 'href="/1"'), "links to /1"),
        (lambda feed: feed.replace("<title>E</title>", "<title> </title>"), "has an empty title"),
        (lambda feed: feed.replace("<title>E</title>", "<title>E</title><subtitle>S</subtitle>"), "element subtitle"),
        (lambda feed: feed.replace('rel="self"', 'rel="via"'), "does not say where it is itself"),
        (lambda feed: feed.replace("</feed>", feed[feed.index("<entry>") :]), "2 entries have the id"),
    ],
)
def test_the_rules_of_atom_notice(break_it: Callable[[str], str], said: str) -> None:
    assert atom_problems(GOOD.encode()) == []
    assert any(said in problem for problem in atom_problems(break_it(GOOD).encode()))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "1"}, "its version"),
        ({"colour": "red"}, "a field colour"),
        ({"home_page_url": "/"}, "home_page_url /"),
        ({"items": [{"id": 1, "content_text": ""}]}, "has no id"),
        ({"items": [{"id": "1"}]}, "has no content"),
        ({"items": [{**GOOD_JSON["items"][0], "date_published": "yesterday"}]}, "date_published yesterday"),
        ({"items": [{**GOOD_JSON["items"][0], "authors": [{"mail": "x"}]}]}, "an author of"),
        ({"items": [{**GOOD_JSON["items"][0], "tags": [1]}]}, "tags that are no texts"),
        ({"items": GOOD_JSON["items"] * 2}, "2 items have the id"),
    ],
)
def test_the_rules_of_json_feed_notice(changes: dict[str, Any], said: str) -> None:
    assert json_feed_problems(GOOD_JSON) == []
    assert any(said in problem for problem in json_feed_problems(GOOD_JSON | changes))
