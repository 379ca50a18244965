"""One's own history: all that concerns one, nothing of others, and nothing about staff."""

from __future__ import annotations

import asyncio

import pytest

from tests import makers
from tests.cast import Person
from tests.site import Site


async def kinds(who: Person, query: str = "limit=100") -> list[str]:
    answer = await who.program.get(f"/api/v1/me/history?{query}")
    assert answer.status_code == 200, answer.text
    return [item["kind"] for item in answer.json()["items"]]


async def test_it_holds_what_one_did_and_what_happened_to_one(site: Site, ada: Person) -> None:
    nora = await makers.person(site, "member", name="Nora")
    stranger = site.program("198.51.100.9")
    await stranger.sign_in(nora.email, "not her password")
    await nora.sign_in()
    answer = await ada.program.put(
        f"/api/v1/admin/people/{nora.id}/roles", {"roles": ["member", "editor"], "reason": "a secret reason"}
    )
    assert answer.status_code == 200, answer.text
    await nora.sign_in()
    shown = await nora.program.get("/api/v1/me/history?limit=100")
    assert "a secret reason" not in shown.text
    assert ada.name not in shown.text
    assert str(ada.id) not in shown.text
    happenings = {item["kind"]: item for item in shown.json()["items"]}
    assert {"account.registered", "sign_in.refused", "session.opened", "token.granted"} <= happenings.keys()
    assert happenings["account.roles_changed"]["by"] == "staff"
    assert happenings["account.roles_changed"]["address"] is None
    assert (happenings["session.opened"]["by"], happenings["session.opened"]["address"]) == ("you", "127.0.0.1")
    assert happenings["session.opened"]["device"]
    refused = happenings["sign_in.refused"]
    assert (refused["by"], refused["address"]) == ("nobody signed in", "198.51.100.9")
    page = await nora.browser.get("/account/history")
    assert page.status_code == 200
    assert "Sign-in refused" in page.text
    assert "a secret reason" not in page.text


async def test_it_holds_nothing_of_others(site: Site) -> None:
    nora, omar = await asyncio.gather(makers.signed_in(site, name="Nora"), makers.signed_in(site, name="Omar"))
    await makers.entry(omar)
    assert "entry.published" in await kinds(omar)
    assert "entry.published" not in await kinds(nora)


async def test_it_is_paged(site: Site) -> None:
    nora = await makers.signed_in(site)
    for number in range(4):
        await makers.entry(nora, title=f"Number {number}")
    whole, seen = await kinds(nora), []
    page = (await nora.program.get("/api/v1/me/history?limit=2")).json()
    while True:
        seen += [item["kind"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = (await nora.program.get(f"/api/v1/me/history?limit=2&cursor={page['next_cursor']}")).json()
    assert seen == whole
    assert (await nora.program.get("/api/v1/me/history?cursor=nonsense")).status_code == 422


@pytest.mark.parametrize("path", ["/account", "/account/"])
async def test_the_account_leads_to_it(max: Person, path: str) -> None:
    answer = await max.browser.get(path)
    assert 'href="/account/history"' in answer.text


async def test_visitors_are_sent_to_sign_in(site: Site) -> None:
    assert (await site.browser().get("/account/history")).headers["location"].startswith("/login")
    assert (await site.program().get("/api/v1/me/history")).status_code == 401
