"""What administrators see of documents and of budgets: all of it, filtered, and nobody else does."""

from __future__ import annotations

import asyncio

from tests import makers
from tests.cast import Cast, Person
from tests.site import Site


async def test_every_document_is_listed_with_its_state_and_people(cast: Cast) -> None:
    draft = await makers.document(cast.alice, title="A draft for the list")
    given = await makers.document(cast.charlie, cast.edith, title="A text somebody writes")
    page = await cast.ada.browser.get("/admin/documents")
    assert page.status_code == 200
    for made in (draft, given):
        assert f'href="/documents/{made["id"]}/export">{made["title"]}</a>' in page.text
        assert f"/admin/audit?target={made['id']}" in page.text
        assert (await cast.ada.browser.get(f"/documents/{made['id']}/export")).status_code == 200
    assert f"/admin/people/{cast.edith.id}" in page.text
    drafts = await cast.ada.browser.get("/admin/documents?state=draft")
    assert draft["title"] in drafts.text
    assert given["title"] not in drafts.text
    assert (await cast.ada.browser.get("/admin/documents?state=nonsense&cursor=")).status_code == 200
    assert (await cast.ada.browser.get("/admin/documents?cursor=nonsense")).status_code == 422


async def test_what_was_used_today_is_shown_with_the_most_first(site: Site, ada: Person) -> None:
    busy, calm = await makers.signed_in(site, name="Busy Bea"), await makers.signed_in(site, name="Calm Cai")
    entry = await makers.entry(busy)
    for person, times in ((busy, 2), (calm, 1)):
        for _ in range(times):
            answer = await person.program.get(f"/api/v1/entries/{entry['id']}/export.pdf")
            assert answer.status_code == 200
    shown = (await ada.program.get("/api/v1/admin/quotas")).json()
    used = {one["person_id"]: one["used"] for one in shown["people"]}
    assert used[str(busy.id)] == (await budget_of(busy))["used"] >= 1
    assert [one["used"] for one in shown["people"]] == sorted(used.values(), reverse=True)
    assert shown["limits"]["member"] == (await budget_of(busy))["limit"]
    page = await ada.browser.get("/admin/quotas")
    assert "Busy Bea" in page.text


async def budget_of(person: Person) -> dict[str, int]:
    found: dict[str, int] = (await person.program.get("/api/v1/me/budgets")).json()["items"][0]
    return found


async def test_forms_offer_administrators_scopes_to_administrators_only(cast: Cast) -> None:
    for path in ("/account/keys/new", "/account/clients/new"):
        mine, theirs = await asyncio.gather(cast.ada.browser.get(path), cast.max.browser.get(path))
        assert 'value="admin:read"' in mine.text
        assert 'value="admin:read"' not in theirs.text


async def test_whoever_waits_is_not_led_where_they_may_not_go(cast: Cast) -> None:
    page = await cast.penny.browser.get("/account/status")
    assert 'href="/sponsor/dashboard"' not in page.text
    assert 'href="/entry"' not in page.text
    assert 'action="/logout"' in page.text
