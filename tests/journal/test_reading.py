"""The journal as readers and their programs meet it: feeds, archive, authors, permalinks, and what caches may keep."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from app.ids import now
from app.journal.permalinks import slug
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_atom_and_json(max: Person, browser: Browser, site: Site) -> None:
    made = await makers.entry(max, "Ink & <paper>", "First \ufffe words & <b>.")
    atom = await browser.get("/feed.atom")
    assert atom.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(atom.content)  # noqa: S314 - our own
    newest = feed.findall(f"{ATOM}entry")[0]
    assert newest.findtext(f"{ATOM}title") == "Ink & <paper>"
    assert newest.findtext(f"{ATOM}id") == f"urn:uuid:{made['id']}"
    assert newest.findtext(f"{ATOM}author/{ATOM}name") == "Max"
    link = newest.find(f"{ATOM}link")
    assert link is not None
    assert link.attrib["href"] == f"{site.settings.public_url}/entry/{made['id']}/ink-paper"
    feed_json = (await browser.get("/feed.json")).json()
    assert feed_json["version"] == "https://jsonfeed.org/version/1.1"
    assert feed_json["items"][0]["title"] == "Ink & <paper>"
    assert feed_json["items"][0]["url"] == link.attrib["href"]
    assert "&lt;paper&gt;" in (await browser.get("/")).text


async def test_the_readable_address(max: Person, browser: Browser) -> None:
    made = await makers.entry(max, "On Copying, again")
    path = f"/entry/{made['id']}"
    page = (await browser.get(f"{path}/on-copying-again")).text
    assert (
        f'rel="canonical" href="http://127.0.0.1:5000{path}/on-copying-again"' in page
        or f"{path}/on-copying-again" in page
    )
    moved = await browser.get(f"{path}/another-title")
    assert (moved.status_code, moved.headers["location"]) == (301, f"{path}/on-copying-again")
    assert (await browser.get(path)).status_code == 200
    assert '<meta property="og:title" content="On Copying, again">' in page


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("On Ink!", "on-ink"),
        ("  ", "entry"),
        ("墨の話", "墨の話"),
        ("a/b?c#d", "a-b-c-d"),
        ("x" * 200, "x" * 60),
        ("…", "entry"),
    ],
)
def test_slugs(title: str, words: str) -> None:
    assert slug(title) == words


async def test_titles_in_any_script_have_addresses(max: Person, browser: Browser) -> None:
    made = await makers.entry(max, "墨の話 / الحبر")
    page = (await browser.get(f"/entry/{made['id']}")).text
    link = re.search(r'rel="canonical" href="https?://[^/]+([^"]+)"', page)
    assert link
    assert (await browser.get(link[1])).status_code == 200


async def test_archive_and_author(site: Site, browser: Browser) -> None:
    nora = await makers.signed_in(site, name="Nora Quill")
    made = await makers.entry(nora, "In this month")
    today = now()
    assert f"{today:%B} {today.year}" in (await browser.get("/archive")).text
    here = f"/archive/{today.year}/{today.month:02}"
    assert f'href="{here}"' in (await browser.get("/archive")).text
    assert "In this month" in (await browser.get(here)).text
    assert "In this month" not in (await browser.get("/archive/1999/12")).text
    for wrong in ("/archive/2026/13", "/archive/2026/0", "/archive/9999/12", "/archive/0/1"):
        assert (await browser.get(wrong)).status_code == 404
    page = (await browser.get(f"/by/{nora.id}")).text
    assert '<h1 dir="auto">Nora Quill</h1>' in page
    assert f'href="/entry/{made["id"]}"' in page
    silent = await makers.person(site)
    assert (await browser.get(f"/by/{silent.id}")).status_code == 404


async def test_visitors_may_keep_pages_and_get_no_cookie(max: Person, site: Site) -> None:
    made = await makers.entry(max)
    tagged = await max.program.patch(f"/api/v1/entries/{made['id']}", {"tags": ["kept-by-visitors"]}, If_Match='"1"')
    assert tagged.status_code == 200
    browser = site.browser()
    for path in (
        "/",
        f"/entry/{made['id']}",
        "/archive",
        "/tags",
        "/tag/kept-by-visitors",
        "/tag/kept-by-visitors/feed.atom",
        "/feed.atom",
        "/feed.json",
        f"/by/{max.id}",
        f"/by/{max.id}/feed.json",
    ):
        page = await browser.get(path)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers, path
        assert page.headers["cache-control"] == "public, no-cache"
        held = await browser.http.get(path, headers={"If-None-Match": page.headers["etag"]})
        assert (held.status_code, held.content) == (304, b""), path
    await makers.entry(max, "Something new")
    before = (await browser.get("/")).headers["etag"]
    await makers.entry(max, "Something newer")
    assert (await browser.http.get("/", headers={"If-None-Match": before})).status_code == 200


async def test_whoever_is_signed_in_gets_their_own_page(max: Person) -> None:
    page = await max.browser.get("/")
    assert "etag" not in page.headers
    assert page.headers["cache-control"] == "no-store"


async def test_what_a_visitor_is_told_once_is_kept_by_nobody(site: Site) -> None:
    """The page after signing out says so and takes its cookie back; a cache that kept it would tell everybody."""
    nora = await (await makers.person(site)).sign_in()
    page = await nora.browser.follow(await nora.browser.post("/logout"))
    assert "You are signed out." in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "etag" not in page.headers
    assert (await nora.browser.get("/")).headers["cache-control"] == "public, no-cache"
