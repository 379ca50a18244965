"""Reading the audit trail: everything is there, filters find it, strangers do not see it."""

from __future__ import annotations

from tests import makers
from tests.cast import Person
from tests.site import Site


async def trail(ada: Person, query: str) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await ada.program.get(f"/api/v1/admin/audit?{query}")).json()["items"]
    return items


async def test_filters_by_kind_actor_and_target(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site, "sponsor", name="Nora")
    made = await makers.document(nora)
    await makers.entry(nora)
    (event,) = await trail(ada, f"target={made['id']}")
    assert (event["kind"], event["actor_id"], event["actor_name"], event["actor_via"]) == (
        "document.commissioned",
        str(nora.id),
        "Nora",
        "bearer",
    )
    assert event["address"] == "127.0.0.1"
    assert event["request_id"]
    assert {item["kind"] for item in await trail(ada, f"actor={nora.id}&kind=entry.")} == {"entry.published"}
    assert await trail(ada, f"actor={nora.id}&kind=%25") == []


async def test_newest_first_and_paged(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site, "sponsor")
    made = [(await makers.entry(nora, title=f"Number {number}"))["id"] for number in range(5)]
    query, seen = f"actor={nora.id}&kind=entry.&limit=2", []
    page = (await ada.program.get(f"/api/v1/admin/audit?{query}")).json()
    while True:
        seen += [item["target_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = (await ada.program.get(f"/api/v1/admin/audit?{query}&cursor={page['next_cursor']}")).json()
    assert seen == made[::-1]


async def test_the_page_shows_it(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site, "sponsor", name="Nora <i>")
    entry = await makers.entry(nora)
    page = await ada.browser.get("/admin/audit", params={"actor": str(nora.id), "kind": "entry."})
    assert page.status_code == 200
    assert entry["id"] in page.text
    assert "Nora &lt;i&gt;" in page.text
    assert (await ada.browser.get("/admin/audit?actor=nobody")).status_code == 422


async def test_moments_beyond_the_calendar_are_refused(ada: Person) -> None:
    """They have no name in UTC, in which the database is asked."""
    for name, entries, moment, fits in (
        ("since", "published_from", "0001-01-01T00:00:00%2B05:00", "0001-01-01T00:00:00-05:00"),
        ("until", "published_before", "9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59%2B05:00"),
    ):
        for ask, path in ((ada.browser.get, "/admin/audit"), (ada.program.get, "/api/v1/admin/audit")):
            assert (await ask(f"{path}?{name}={moment}")).status_code == 422, (path, moment)
            assert (await ask(f"{path}?{name}={fits}")).status_code == 200, (path, fits)
        answer = await ada.program.get(f"/api/v1/entries?{entries}={moment}")
        assert answer.json()["errors"] == {entries: ["This is beyond the calendar."]}


async def test_only_for_administrators(alice: Person, max: Person) -> None:
    for who in (alice, max):
        assert (await who.program.get("/api/v1/admin/audit")).status_code == 403
        assert (await who.browser.get("/admin/audit")).status_code == 403
