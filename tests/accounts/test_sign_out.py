"""Signing out: it ends the session on the server, only when asked by a form, and only this one."""

from __future__ import annotations

import pytest

from tests import makers
from tests.cast import Cast
from tests.client import Browser
from tests.site import Site
from tests.soon import soon

PATHS = ["/logout", "/sponsor/logout", "/editor/logout"]


@pytest.mark.parametrize("path", PATHS)
async def test_signing_out_ends_the_session_on_the_server(site: Site, path: str) -> None:
    person = await makers.signed_in(site, "sponsor", "editor")
    kept = person.browser.copy(site.app)
    answer = await person.browser.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "scriptorium" not in person.browser.cookies()
    await soon(lambda: kept.get("/account"), 303)
    assert await site.rows("SELECT 1 FROM sessions WHERE person_id = :id", id=person.id) == []
    assert "You are signed out." in (await person.browser.get("/")).text


@pytest.mark.parametrize("path", PATHS)
async def test_looking_at_the_page_never_signs_out(site: Site, path: str) -> None:
    person = await makers.signed_in(site)
    page = await person.browser.get(path)
    assert page.status_code == 200
    assert "<form" in page.text
    assert (await person.browser.http.head(path)).status_code == 200
    assert (await person.browser.get("/account")).status_code == 200


async def test_signing_out_needs_the_forms_token(site: Site) -> None:
    person = await makers.signed_in(site)
    for token in ("", "x", "1.a.b"):
        refused = await person.browser.send("/logout", {"form_token": token})
        assert refused.status_code == 403
    strangers = await site.browser().token("/login")
    assert (await person.browser.send("/logout", {"form_token": strangers})).status_code == 403
    assert (await person.browser.get("/account")).status_code == 200


async def test_a_visitor_has_nothing_to_sign_out_of(browser: Browser) -> None:
    assert (await browser.get("/logout")).headers["location"] == "/login"
    assert (await browser.post("/logout", page="/login")).status_code == 303


async def test_other_sessions_stay(site: Site) -> None:
    person = await makers.signed_in(site)
    second = site.browser()
    await second.sign_in(person.email, person.password)
    await person.browser.post("/logout")
    assert (await second.get("/account")).status_code == 200
    assert (await person.program.get("/api/secure")).status_code == 200


async def test_waiting_people_can_sign_out(site: Site, cast: Cast) -> None:
    again = site.browser()
    await again.sign_in(cast.penny.email, cast.penny.password)
    assert (await again.post("/logout", page="/account/status")).status_code == 303
    assert (await again.get("/account/status")).status_code == 303
