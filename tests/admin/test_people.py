"""The administration's lists: the queue, people, search, one person, the overview, paged without gaps."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from tests import makers
from tests.cast import Person
from tests.site import Site


async def test_the_queue_shows_who_waits_longest_first(site: Site, ada: Person) -> None:
    first = await makers.person(site, "sponsor", status="pending", name="Zacharias First")
    second = await makers.person(site, "editor", status="pending", name="Zacharias Second")
    gone = await makers.person(site, "editor", status="declined", name="Zacharias Gone")
    page = (await ada.browser.get("/admin/queue", params={"q": "zacharias"})).text
    assert -1 < page.index(first.email) < page.index(second.email)
    assert gone.email not in page
    listed = (await ada.program.get("/api/v1/admin/people?status=pending&q=ZACHARIAS")).json()["items"]
    assert [item["id"] for item in listed] == [str(second.id), str(first.id)]
    assert listed[0].keys() >= {"id", "email", "display_name", "roles", "status"}


async def test_search_takes_words_literally(site: Site, ada: Person) -> None:
    odd = await makers.person(site, name="100%_sure\\ O'Neill")
    for q in ("100%_sure", "%_", "\\ O'N", odd.email.upper()):
        found = await ada.program.get(f"/api/v1/admin/people?{urlencode({'q': q})}")
        assert [item["id"] for item in found.json()["items"]] == [str(odd.id)], q
        assert str(odd.id) in (await ada.browser.get("/admin/people", params={"q": q})).text
    nothing = await ada.browser.get("/admin/people", params={"q": "' OR 1=1 --"})
    assert nothing.status_code == 200
    assert str(odd.id) not in nothing.text


async def test_filters_by_role_and_status(site: Site, ada: Person) -> None:
    sam = await makers.person(site, "editor", status="suspended", name="Filterby")
    await makers.person(site, "editor", name="Filterby")
    await makers.person(site, "member", name="Filterby")
    found = (await ada.program.get("/api/v1/admin/people?q=filterby&role=editor&status=suspended")).json()["items"]
    assert [item["id"] for item in found] == [str(sam.id)]
    assert len((await ada.program.get("/api/v1/admin/people?q=filterby&role=editor")).json()["items"]) == 2


async def test_what_cannot_be_asked(ada: Person) -> None:
    for query in (
        "status=gone",
        "role=owner",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "cursor=x",
        "page=2",
        "q=a&q=b",
    ):
        refused = await ada.program.get(f"/api/v1/admin/people?{query}")
        assert refused.status_code == 422, query
        assert refused.json()["errors"].keys() == {query.partition("=")[0]}
    assert (await ada.browser.get("/admin/people?page=2&utm_source=x")).status_code == 200
    assert (await ada.browser.get("/admin/people?cursor=x")).status_code == 422


async def test_pages_have_no_gaps_and_no_doubles_while_people_come(site: Site, ada: Person) -> None:
    made = [str((await makers.person(site, name="Pagewise")).id) for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await ada.program.get(f"/api/v1/admin/people?q=pagewise&limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        await makers.person(site, name="Pagewise")
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


async def test_one_person_with_their_history(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor", status="suspended", message="<b>Bold</b>")
    shown = (await ada.program.get(f"/api/v1/admin/people/{person.id}")).json()
    assert [change["to_status"] for change in shown["history"]] == ["suspended", "active"]
    assert "password" not in str(shown)
    page = (await ada.browser.get(f"/admin/people/{person.id}")).text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert re.search(r'action="/admin/people/[^"]*/reinstate"', page)
    assert not re.search(r'action="/admin/people/[^"]*/(suspend|approve|decline)"', page)


async def test_the_overview_counts(empty_house: Site) -> None:
    admin = await makers.signed_in(empty_house, "admin")
    sponsor = await makers.signed_in(empty_house, "sponsor")
    await makers.person(empty_house, "editor", status="pending")
    for _ in range(3):
        await makers.document(sponsor)
    await makers.entry(sponsor)
    page = (await admin.browser.get("/admin/")).text
    assert [int(number) for number in re.findall(r">\s*(\d+)\s*<", page)][:4] == [1, 3, 3, 1]
