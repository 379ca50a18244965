"""Signing in by the page: who gets where, what a wrong guess learns, and what the cookie is good for afterwards."""

from __future__ import annotations

import re

import httpx
import pytest

from app.access import SYSTEM
from app.accounts import service as accounts
from app.rights.touches import SessionTouches
from tests import makers
from tests.cast import Cast, Person
from tests.client import Browser
from tests.site import Site, running
from tests.soon import soon

COOKIE = "scriptorium"
SAFE = ["/", "/entry", "/account/sessions", "/sponsor/documents?cursor=x", "/entry/0197-a%20b", "/?next=%2Fentry"]
UNSAFE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%252fevil.example",
    "/x//evil.example",
    "/\tevil.example",
    "/\t/evil.example",
    "/x\r\nLocation: https://evil.example",
    "/%0d%0aSet-Cookie:x=1",
    " /entry",
    "/" + "x" * 3000,
    "/\u202egro.live",
]


async def test_everybody_lands_on_their_own_page(site: Site) -> None:
    for roles, home in {
        ("member",): "/account",
        ("sponsor",): "/sponsor/dashboard",
        ("editor",): "/editor/dashboard",
        ("admin",): "/admin/",
        ("member", "editor"): "/editor/dashboard",
        ("sponsor", "admin"): "/admin/",
    }.items():
        person = await makers.person(site, *roles)
        answer = await person.browser.sign_in(person.email, person.password)
        assert (answer.status_code, answer.headers["location"]) == (303, home)
        assert (await person.browser.get(home)).status_code == 200
        again = await person.browser.get("/login")
        assert (again.status_code, again.headers["location"]) == (303, home)


@pytest.mark.parametrize("target", SAFE)
async def test_next_leads_on_to_our_own_pages(site: Site, bob: Person, target: str) -> None:
    answer = await site.browser().sign_in(bob.email, bob.password, target)
    assert answer.headers["location"] == target
    page = await site.browser().get("/login", params={"next": target})
    assert re.search(r'name="next" value="/', page.text)


@pytest.mark.parametrize("target", UNSAFE)
async def test_next_never_leads_anywhere_else(site: Site, bob: Person, target: str) -> None:
    answer = await site.browser().sign_in(bob.email, bob.password, target)
    assert answer.status_code in (303, 400, 422)
    assert answer.headers.get("location", "/editor/dashboard") == "/editor/dashboard"
    page = await site.browser().get("/login", params={"next": target})
    assert 'name="next" value=""' in page.text or page.status_code >= 400
    signed_in = await bob.browser.get("/login", params={"next": target})
    assert signed_in.headers.get("location", "/editor/dashboard") == "/editor/dashboard"


async def test_a_wrong_password_and_an_unknown_address_look_the_same(site: Site) -> None:
    person = await makers.person(site)
    wrong = await site.browser().sign_in(person.email, makers.passphrase())
    unknown = await site.browser().sign_in(makers.address(), makers.passphrase())
    assert wrong.status_code == unknown.status_code == 401
    assert _without_variables(wrong, person.email) == _without_variables(unknown)
    assert "set-cookie" not in wrong.headers
    assert [event.kind for event in await site.events(person.id, "sign_in")] == ["sign_in.refused"]


async def test_the_form_keeps_the_address_and_not_the_password(browser: Browser) -> None:
    typed = {"email": "nora@example.org", "password": makers.passphrase(), "next": "/entry"}
    answer = await browser.post("/login", typed)
    assert answer.status_code == 401
    assert 'value="nora@example.org"' in answer.text
    assert 'name="next" value="/entry"' in answer.text
    assert typed["password"] not in answer.text
    assert 'id="email-error"' in answer.text


@pytest.mark.parametrize("status", ["pending", "declined", "suspended"])
async def test_people_who_may_not_work_see_how_things_stand(site: Site, status: str) -> None:
    person = await makers.person(site, "sponsor", status=status, message="Written for you & nobody else")
    answer = await person.browser.sign_in(person.email, person.password, "/sponsor/documents")
    assert answer.headers["location"] == "/account/status"
    page = await person.browser.get("/account/status")
    assert page.status_code == 200
    if status != "pending":
        assert "Written for you &amp; nobody else" in page.text
    assert "made for a test" not in page.text, "the reason for staff is not for the person"
    for path in ("/entry", "/account", "/account/sessions", "/sponsor/dashboard", "/sponsor/newdocument"):
        sent = await person.browser.get(path)
        assert (sent.status_code, sent.headers["location"]) == (303, "/account/status")
    assert (await person.browser.get("/")).status_code == 200
    assert (await person.browser.post("/logout", page="/account/status")).status_code == 303
    refused = await person.program.sign_in(person.email, person.password)
    assert (refused.status_code, refused.json()["code"]) == (403, f"account_{status}")


async def test_each_sign_in_is_a_new_session_and_ends_the_one_before(site: Site) -> None:
    person = await makers.signed_in(site, "member")
    old = person.browser.cookies()[COOKIE]
    token = await person.browser.token()
    again = await person.browser.send(
        "/login", {"form_token": token, "email": person.email, "password": person.password}
    )
    assert again.status_code == 303
    assert person.browser.cookies()[COOKIE] != old
    ghost = site.browser()
    ghost.http.cookies.set(COOKIE, old)
    assert (await soon(lambda: ghost.get("/account"), 303)).headers["location"] == "/login?next=/account"
    assert (await person.browser.get("/account")).status_code == 200


async def test_a_session_given_by_a_stranger_is_not_taken_over(site: Site) -> None:
    browser = site.browser()
    browser.http.cookies.set(COOKIE, "planted")
    person = await makers.person(site)
    assert (await browser.sign_in(person.email, person.password)).status_code == 303
    values = [cookie.value for cookie in browser.http.cookies.jar if cookie.name == COOKIE]
    assert values != ["planted"]


async def test_the_cookie_says_nothing_and_is_kept_from_scripts(site: Site) -> None:
    person = await makers.person(site)
    answer = await person.browser.sign_in(person.email, person.password)
    cookies = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]
    assert len(cookies) == 1
    attributes = {part.strip().lower() for part in cookies[0].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)
    stored = await site.rows("SELECT token_hash FROM sessions WHERE person_id = :id", id=person.id)
    assert len(stored) == 1
    assert len(stored[0].token_hash) == 32


async def test_a_tampered_cookie_opens_nothing(site: Site) -> None:
    person = await makers.signed_in(site)
    good = person.browser.cookies()[COOKIE]
    payload, _, signature = good.rpartition(".")
    for bad in (
        good[:-2] + ("aa" if good[-2:] != "aa" else "bb"),
        payload,
        f"{payload}.",
        f".{signature}",
        f"{payload[::-1]}.{signature}",
        good.upper(),
        good + "x",
        "x",
        "x" * 4000,
        "e30.e30.e30",
    ):
        ghost = site.browser()
        ghost.http.cookies.set(COOKIE, bad)
        assert (await ghost.get("/account")).status_code == 303, bad
    assert (await person.browser.get("/account")).status_code == 200


async def test_sessions_end_by_age_by_idleness_and_with_the_epoch(site: Site) -> None:
    for change in (
        "UPDATE sessions SET ends_at = now() - interval '1 second' WHERE person_id = :id",
        "UPDATE sessions SET last_seen_at = now() - interval '15 days' WHERE person_id = :id",
        "UPDATE people SET epoch = epoch + 1 WHERE id = :id",
        "DELETE FROM sessions WHERE person_id = :id",
    ):
        person = await makers.signed_in(site)
        await site.change(change, id=person.id)
        assert (await person.browser.get("/account")).status_code == 303, change


async def test_use_is_noted(site: Site) -> None:
    person = await makers.signed_in(site)
    moved = "UPDATE sessions SET last_seen_at = now() - interval '2 minutes' WHERE person_id = :id"
    age = "SELECT now() - last_seen_at < interval '1 minute' AS fresh FROM sessions WHERE person_id = :id"
    await site.change(moved, id=person.id)
    await person.browser.get("/account")
    touches: SessionTouches = site.app.extensions[SessionTouches.__name__]
    await touches.write()
    assert (await site.rows(age, id=person.id))[0].fresh


async def test_a_suspension_that_has_run_out_is_over(site: Site) -> None:
    person = await makers.person(site, "sponsor", status="suspended")
    past = "UPDATE people SET status_until = now() - interval '1 second' WHERE id = :id"
    await site.change(past, id=person.id)
    answer = await person.browser.sign_in(person.email, person.password)
    assert answer.headers["location"] == "/sponsor/dashboard"
    assert (await person.program.sign_in(person.email, person.password)).status_code == 200


async def test_visitors_are_sent_to_sign_in_and_back(browser: Browser, cast: Cast) -> None:
    answer = await browser.get("/sponsor/documents?cursor=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/sponsor/documents%3Fcursor%3Dx")
    page = await browser.follow(answer)
    assert 'name="next" value="/sponsor/documents?cursor=x"' in page.text
    assert (await cast.penny.browser.get("/login")).headers["location"] == "/account/status"


async def test_a_rehash_keeps_the_password(site: Site) -> None:
    """Hashes made under weaker parameters are made anew at the next sign-in."""
    person = await makers.person(site)
    weak = await _weak_hash(site, person.password)
    await site.change("UPDATE people SET password_hash = :weak WHERE id = :id", weak=weak, id=person.id)
    assert (await person.program.sign_in(person.email, person.password)).status_code == 200
    row = (await site.rows("SELECT password_hash FROM people WHERE id = :id", id=person.id))[0]
    assert row.password_hash != weak
    assert "m=19456,t=2,p=1" in row.password_hash
    assert (await person.program.sign_in(person.email, person.password)).status_code == 200


async def test_only_so_many_wrong_guesses(site: Site) -> None:
    """Five failed tries a minute for one account from one address block, over page, JSON and Basic together."""
    async with running(site.stack, LIMIT_SIGN_IN="5/minute") as strict:
        person = await makers.person(strict)
        guess = makers.passphrase()
        answers = [await strict.browser().sign_in(person.email, guess) for _ in range(2)]
        answers += [await strict.program().sign_in(person.email, guess) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401] * 5
        checks = strict.resources.passwords.checks
        page = await strict.browser().sign_in(person.email, guess)
        told = await strict.program().sign_in(person.email, person.password)
        basic = await strict.program().http.get("/protected", auth=(person.email, person.password))
        assert page.status_code == told.status_code == basic.status_code == 429
        assert all(int(answer.headers["retry-after"]) > 0 for answer in (page, told, basic))
        assert strict.resources.passwords.checks == checks, "no password was looked at any more"
        elsewhere = strict.browser("198.51.100.7")
        assert (await elsewhere.sign_in(person.email, person.password)).status_code == 303
        other = await makers.person(strict)
        assert (await strict.program().sign_in(other.email, other.password)).status_code == 200


async def test_the_first_admin_is_made_by_the_command_only(site: Site) -> None:
    email, phrase = makers.address("ada"), makers.passphrase()
    hashed = await site.resources.passwords.hash(phrase)
    async with site.resources.database.transaction() as db:
        person_id, made = await accounts.make_admin(db, email, "Ada", hashed)
    assert made
    assert SYSTEM.is_admin is False
    program = site.program()
    await program.sign_in(email, phrase)
    assert (await program.get("/api/v1/me")).json()["roles"] == ["admin"]
    assert [event.actor_name for event in await site.events(person_id)] == ["Scriptorium"]


def _without_variables(answer: httpx.Response, email: str = "") -> str:
    """A page without what differs on every request."""
    text = (
        answer.text.replace(email, "@") if email else re.sub(r"somebody\.[0-9a-f]{32}@example\.org", "@", answer.text)
    )
    text = re.sub(r'name="form_token" value="[^"]*"', "", text)
    return text.replace(answer.headers["x-request-id"], "")


async def _weak_hash(site: Site, password: str) -> str:
    strong = site.resources.passwords._context
    site.resources.passwords._context = strong.using(argon2__memory_cost=1024, argon2__time_cost=1)
    try:
        return await site.resources.passwords.hash(password)
    finally:
        site.resources.passwords._context = strong
