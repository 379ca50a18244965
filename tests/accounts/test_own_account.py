"""What people change about their own account: the name, and the password, which ends what the old one opened."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import httpx
import pytest

from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site
from tests.soon import soon


async def basic(program: Program, email: str, password: str) -> httpx.Response:
    pair = b64encode(f"{email}:{password}".encode()).decode()
    return await program.call("GET", "/protected", Authorization=f"Basic {pair}", token="")


async def test_a_name_is_changed_everywhere(site: Site) -> None:
    person = await makers.signed_in(site, name="Before")
    answer = await person.browser.post("/account/profile", {"display_name": "After the Page"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    # Workers hear of it by a notice, a moment after the commit.
    for _ in range(200):
        if (await person.program.get("/api/v1/me")).json()["display_name"] == "After the Page":
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("the old name is still shown")
    changed = await person.program.patch("/api/v1/me", {"display_name": "After the API"})
    assert (changed.status_code, changed.json()["display_name"]) == (200, "After the API")
    assert "After the API" in (await person.browser.get("/account")).text, "read from the row"


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "two\nlines"])
async def test_a_name_that_is_none_is_refused_and_kept_on_the_page(max: Person, name: str) -> None:
    page = await max.browser.post("/account/profile", {"display_name": name})
    assert (page.status_code, "There is a problem" in page.text) == (422, True)
    assert (await max.program.patch("/api/v1/me", {"display_name": name})).status_code == 422


async def test_a_new_password_ends_what_the_old_one_opened(site: Site, program: Program) -> None:
    person, new = await makers.signed_in(site), makers.passphrase()
    elsewhere = site.browser()
    await elsewhere.sign_in(person.email, person.password)
    key = (await person.program.post("/api/v1/me/keys", {"name": "k", "scopes": ["profile:read"]})).json()["key"]
    assert (await basic(program, person.email, person.password)).status_code == 200, "remembered from now on"
    before = person.browser.cookies()
    form = {"current_password": person.password, "password": new}
    answer = await person.browser.post("/account/password", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert person.browser.cookies() != before, "the session goes on under a new id"
    assert (await person.browser.get("/account")).status_code == 200
    await soon(lambda: elsewhere.get("/account"), 303)
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    await soon(lambda: basic(program, person.email, person.password), 401)
    assert (await basic(program, person.email, new)).status_code == 200
    assert (await site.program().sign_in(person.email, person.password)).status_code == 401
    assert (await site.program().sign_in(person.email, new)).status_code == 200
    assert (await program.call("GET", "/api/v1/me", token=key)).status_code == 200, "a key never knew the password"


async def test_a_program_that_changes_it_goes_on_and_others_end(site: Site) -> None:
    person, new = await makers.signed_in(site), makers.passphrase()
    other = site.program()
    await other.sign_in(person.email, person.password)
    asked = {"current_password": person.password, "password": new}
    assert (await person.program.put("/api/v1/me/password", asked)).status_code == 204
    await soon(lambda: other.get("/api/v1/me"), 401)
    await soon(lambda: person.browser.get("/account"), 303)
    assert (await person.program.get("/api/v1/me")).status_code == 200


async def test_it_takes_the_present_password_and_a_good_new_one(site: Site) -> None:
    person = await makers.signed_in(site)
    for current, new, field in (
        ("not this one", makers.passphrase(), "current_password"),
        (person.password, "short", "password"),
        (person.password, person.password, "password"),
        (person.password, "password1234567", "password"),
    ):
        asked = {"current_password": current, "password": new}
        answer = await person.program.put("/api/v1/me/password", asked)
        assert (answer.status_code, [*answer.json()["errors"]]) == (422, [field])
        page = await person.browser.post("/account/password", asked)
        assert page.status_code == 422
        assert new not in page.text
    assert (await site.program().sign_in(person.email, person.password)).status_code == 200
