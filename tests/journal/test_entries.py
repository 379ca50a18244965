"""The journal: written by members and up, read by everybody, newest first, rendered safely."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.client import Browser, Program
from tests.site import Site

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) <a <a href='data:x'>y</a>\n"
HOSTILE += "\n## Fine\n"


async def test_a_member_writes_by_page(site: Site, browser: Browser) -> None:
    nora = await makers.signed_in(site, name="Nora")
    answer = await nora.browser.post("/entry", {"title": "On <i>ink</i>", "body": HOSTILE})
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert where.startswith("/entry/")
    assert "Published. Everybody can read it now." in (await nora.browser.follow(answer)).text
    assert "Published." not in (await nora.browser.get(where)).text, "a flash is shown once"
    page = (await browser.get(where)).text
    assert "On &lt;i&gt;ink&lt;/i&gt;" in page
    assert "Nora" in page
    for forbidden in ("<script>", "<img", 'href="javascript:', "<a href='data:"):
        assert forbidden not in page
    assert re.search("<h[23][^>]*>Fine</h", page)
    assert [event.kind for event in await site.events(where.rpartition("/")[2])] == ["entry.published"]


async def test_a_member_writes_by_program(site: Site, program: Program) -> None:
    nora = await makers.signed_in(site, name="Nora")
    made = await nora.program.post("/api/v1/entries", {"title": " On ink ", "body": "*Soot*\r\nand gum"})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["title"], shown["body"]) == ("On ink", "*Soot*\nand gum")
    assert shown["author"] == {"id": str(nora.id), "display_name": "Nora"}
    assert UUID(shown["id"]).version == 7
    assert shown["published_at"].endswith("Z")
    assert made.headers["location"] == f"/api/v1/entries/{shown['id']}"
    assert made.headers["etag"] == '"1"'
    read = await program.get(made.headers["location"])
    assert read.json() == shown
    again = await program.get(made.headers["location"], If_None_Match=read.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


async def test_the_first_page_is_the_same_by_a_statement_kept_ready(site: Site, program: Program) -> None:
    nora = await makers.signed_in(site, name="Nora")
    made = (await nora.program.post("/api/v1/entries", {"title": "On gum", "body": "*Gum*", "tags": ["gum"]})).json()
    ready = (await program.get("/api/v1/entries?limit=100")).json()
    built = (await program.get("/api/v1/entries?limit=100&published_from=2000-01-01T00:00:00Z")).json()
    assert made["id"] in [entry["id"] for entry in ready["items"]]
    assert ready["items"] == built["items"]
    assert (await nora.program.delete(f"/api/v1/entries/{made['id']}")).status_code in (200, 204)
    later = (await program.get("/api/v1/entries?limit=100")).json()
    assert made["id"] not in [entry["id"] for entry in later["items"]]


@pytest.mark.parametrize("role", ["member", "sponsor", "editor", "admin"])
async def test_every_active_person_may_write(site: Site, role: str) -> None:
    person = await makers.signed_in(site, role)
    assert (await person.program.post("/api/v1/entries", {"title": "Yes", "body": ""})).status_code == 201
    assert (await person.browser.get("/entry")).status_code == 200


async def test_others_may_not(program: Program, browser: Browser, cast: Cast) -> None:
    assert (await program.post("/api/v1/entries", {"title": "No", "body": "x"})).status_code == 401
    assert (await browser.get("/entry")).headers["location"] == "/login?next=/entry"
    answer = await browser.post("/entry", {"title": "No", "body": "x"}, page="/login")
    assert answer.headers["location"].startswith("/login")
    assert (await cast.penny.browser.get("/entry")).headers["location"] == "/account/status"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " "),
        ("title", "x" * 201),
        ("title", "a\nb"),
        ("body", "x" * 500_001),
        ("body", "bell \x07"),
    ],
)
async def test_what_cannot_be_published(site: Site, max: Person, field: str, value: str) -> None:
    before = (await site.counts())["entries"]
    asked = {"title": "Fine", "body": "Kept & shown again"} | {field: value}
    refused = await max.program.post("/api/v1/entries", asked)
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == {field}
    page = await max.browser.post("/entry", asked)
    assert page.status_code == (400 if "\x07" in value else 422)
    if field == "title":
        assert "Kept &amp; shown again" in page.text
        assert 'id="title-error"' in page.text
    assert (await site.counts())["entries"] == before


async def test_half_a_million_characters_fit(max: Person) -> None:
    body = "墨 " * 250_000
    made = await max.program.post("/api/v1/entries", {"title": "Long", "body": body})
    assert made.status_code == 201
    assert made.json()["body"] == body
    answer = await max.browser.post("/entry", {"title": "Long", "body": body})
    assert answer.status_code == 303


async def test_nothing_there(browser: Browser, program: Program) -> None:
    for name in (uuid4(), "1", "x", "0197b8c4-0000-7000-8000"):
        page = await browser.get(f"/entry/{name}")
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert (await program.get(f"/api/v1/entries/{name}")).status_code == 404


async def test_pages_have_no_gaps_and_no_doubles_while_entries_come(empty_house: Site) -> None:
    nora = await makers.signed_in(empty_house)
    made = [(await makers.entry(nora, f"Number {number}"))["id"] for number in range(7)]
    # Several entries of one moment: only the id tells them apart.
    await empty_house.change("UPDATE entries SET published_at = date_trunc('hour', published_at)")
    seen: list[str] = []
    page = (await nora.program.get("/api/v1/entries?limit=3")).json()
    while True:
        seen += [item["id"] for item in page["items"]]
        await makers.entry(nora, "In between")
        if page["next_cursor"] is None:
            break
        page = (await nora.program.get(f"/api/v1/entries?limit=3&cursor={page['next_cursor']}")).json()
    assert seen == made[::-1]


async def test_the_front_page_is_paged(empty_house: Site) -> None:
    nora = await makers.signed_in(empty_house)
    for number in range(23):
        await makers.entry(nora, f"Number {number:02}.")
    browser = empty_house.browser()
    first = (await browser.get("/")).text
    assert first.count('href="/entry/') == 20
    assert "Number 22." in first
    assert "Number 02." not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    second = (await browser.get(older)).text
    assert all(f"Number {number:02}." in second for number in range(3))
    assert 'rel="prev" href="/"' in second
    assert 'rel="next"' not in second


async def test_an_empty_journal_says_so(empty_house: Site) -> None:
    page = await empty_house.browser().get("/")
    assert page.status_code == 200
    assert 'rel="next"' not in page.text
    assert (await empty_house.program().get("/api/v1/entries")).json() == {"items": [], "next_cursor": None}


async def test_what_cannot_be_asked(program: Program, browser: Browser) -> None:
    for query in (
        "limit=0",
        "limit=101",
        "limit=1e999",
        "limit=" + "9" * 5000,
        "cursor=abc",
        "cursor=" + "_" * 32,
        "x=1",
    ):
        refused = await program.get(f"/api/v1/entries?{query}")
        assert refused.status_code == 422, query
    for query in ("cursor=%00", "cursor=%ff", "limit=%zz"):
        assert (await program.get(f"/api/v1/entries?{query}")).status_code in (400, 422), query
        assert (await browser.get(f"/?{query}")).status_code in (200, 400, 422), query
    assert (await browser.get("/?cursor=abc")).status_code == 422
    assert (await browser.get("/?cursor=")).status_code == 200
