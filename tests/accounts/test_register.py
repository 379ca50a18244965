"""Applying for an account: three kinds, what is refused, and that a known address shows nothing."""

from __future__ import annotations

import unicodedata

import pytest

from tests import makers
from tests.cast import Person
from tests.client import Browser, Program
from tests.site import Site

KINDS = {
    "/register": ("member", "active"),
    "/signupsponsor": ("sponsor", "pending"),
    "/signupeditor": ("editor", "pending"),
}


def form(email: str = "", name: str = "Nora", password: str = "") -> dict[str, str]:
    return {"email": email or makers.address(), "display_name": name, "password": password or makers.passphrase()}


@pytest.mark.parametrize("path", KINDS)
async def test_a_page_registers(site: Site, browser: Browser, path: str) -> None:
    filled = form()
    answer = await browser.post(path, filled)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    role, status = KINDS[path]
    row = (await site.rows("SELECT * FROM people WHERE email_key = :email", email=filled["email"]))[0]
    assert (row.roles, row.status, row.display_name) == ([role], status, "Nora")
    assert filled["password"] not in row.password_hash
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in row.password_hash
    assert [event.kind for event in await site.events(row.id)] == ["account.registered"]


@pytest.mark.parametrize(("role", "status"), KINDS.values())
async def test_a_program_registers(program: Program, role: str, status: str) -> None:
    asked = form() | {"role": role}
    answer = await program.post("/api/v1/people", asked)
    assert answer.status_code == 201
    told = answer.json()
    assert told.keys() >= {"id", "status"}
    assert (told["status"], told["email"], told["role"]) == (status, asked["email"], role)


async def test_a_known_address_is_answered_the_same(site: Site, browser: Browser, program: Program) -> None:
    known, unknown = form(), form()
    first = await browser.post("/register", known)
    second = await site.browser().post("/register", known | {"display_name": "Somebody else"})
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert (await browser.follow(first)).text.count("notice success") == 1
    before = await site.rows("SELECT display_name FROM people WHERE email_key = :email", email=known["email"])
    asked = [await program.post("/api/v1/people", body | {"role": "sponsor"}) for body in (known, unknown)]
    assert asked[0].status_code == asked[1].status_code == 201
    assert asked[0].json().keys() == asked[1].json().keys()
    assert asked[0].json()["status"] == asked[1].json()["status"] == "pending"
    assert before == await site.rows("SELECT display_name FROM people WHERE email_key = :email", email=known["email"])
    assert before[0].display_name == "Nora"


async def test_an_address_is_one_whatever_its_case(site: Site, program: Program) -> None:
    asked = form("Nora." + makers.address("X"))
    assert (await program.post("/api/v1/people", asked)).status_code == 201
    shouted = asked | {"email": asked["email"].upper(), "password": makers.passphrase()}
    assert (await program.post("/api/v1/people", shouted)).status_code == 201
    rows = await site.rows("SELECT email FROM people WHERE email_key = :email", email=asked["email"].lower())
    assert len(rows) == 1
    assert (await site.program().sign_in(asked["email"].upper(), asked["password"])).status_code == 200


async def test_fifteen_characters_are_enough_and_fourteen_are_not(browser: Browser, program: Program) -> None:
    phrase = makers.passphrase()
    short = await browser.post("/register", form(password=phrase[:14]))
    assert short.status_code == 422
    assert "at least 15 characters" in short.text
    assert (await program.post("/api/v1/people", form(password=phrase[:14]))).json()["errors"].keys() == {"password"}
    assert (await browser.post("/register", form(password=phrase[:15]))).status_code == 303
    # Counted in characters, not in bytes: fourteen of them are too few however long they are in UTF-8.
    assert (await program.post("/api/v1/people", form(password="ж" * 14))).status_code == 422


async def test_long_passwords_count_whole(site: Site, program: Program) -> None:
    phrase = (makers.passphrase() * 6)[:128]
    asked = form(password=phrase)
    assert (await program.post("/api/v1/people", asked)).status_code == 201
    assert (await site.program().sign_in(asked["email"], phrase[:-1])).status_code == 401
    assert (await site.program().sign_in(asked["email"], phrase)).status_code == 200
    assert (await program.post("/api/v1/people", form(password="x" * 5000))).status_code == 422


async def test_one_phrase_typed_on_two_keyboards_is_one_password(site: Site, program: Program) -> None:
    composed = unicodedata.normalize("NFC", "Crème brûlée für " + makers.passphrase())
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    asked = form(password=composed)
    assert (await program.post("/api/v1/people", asked)).status_code == 201
    assert (await site.program().sign_in(asked["email"], apart)).status_code == 200
    assert (await site.browser().sign_in(asked["email"], apart)).status_code == 303


async def test_spaces_around_a_password_belong_to_it(site: Site, program: Program) -> None:
    phrase = f"  {makers.passphrase()} "
    asked = form(password=phrase)
    assert (await program.post("/api/v1/people", asked)).status_code == 201
    assert (await site.program().sign_in(asked["email"], phrase.strip())).status_code == 401
    assert (await site.program().sign_in(asked["email"], phrase)).status_code == 200


async def test_a_password_made_of_ones_own_name_is_refused(program: Program) -> None:
    asked = form(name="Wilhelmina", password="wilhelmina-scriptorium")
    assert (await program.post("/api/v1/people", asked)).json()["errors"].keys() == {"password"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@b@c"),
        ("email", "x" * 65 + "@example.org"),
        ("email", "nora@exa mple.org"),
        ("email", "nora@example.org\nBcc: x@example.org"),
        ("display_name", ""),
        ("display_name", "   "),
        ("display_name", "x" * 81),
        ("display_name", "two\nlines"),
        ("display_name", "evil\u202etxt"),
        ("password", ""),
    ],
)
async def test_what_cannot_be_is_said_beside_the_field(
    site: Site, browser: Browser, program: Program, field: str, value: str
) -> None:
    before = (await site.counts())["people"]
    asked = form() | {field: value}
    refused = await program.post("/api/v1/people", asked)
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == {field}
    page = await browser.post("/register", asked)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert asked["password"] == "" or asked["password"] not in page.text
    assert (await site.counts())["people"] == before


async def test_a_form_keeps_what_was_typed(browser: Browser) -> None:
    page = await browser.post("/signupsponsor", form("not an address", "Nora <b>"))
    assert 'value="not an address"' in page.text
    assert "Nora &lt;b&gt;" in page.text


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"roles": ["admin"]}, {"status": "active"}, {"id": "1"}])
async def test_nobody_signs_up_for_more(program: Program, extra: dict[str, object]) -> None:
    refused = await program.post("/api/v1/people", form() | extra)
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == extra.keys()


async def test_extra_form_fields_give_no_role(site: Site, browser: Browser) -> None:
    filled = form()
    await browser.post("/register", filled | {"role": "admin", "roles": "admin", "status": "active"})
    rows = await site.rows("SELECT roles FROM people WHERE email_key = :email", email=filled["email"])
    assert rows[0].roles == ["member"]


async def test_a_declined_person_may_apply_again(site: Site, program: Program, ada: Person) -> None:
    dora = await makers.person(site, "editor", status="declined", message="Not yet.")
    asked = form(dora.email, "Dora again") | {"role": "sponsor"}
    assert (await program.post("/api/v1/people", asked)).json()["status"] == "pending"
    shown = (await ada.program.get(f"/api/v1/admin/people/{dora.id}")).json()
    assert (shown["status"], shown["roles"], shown["display_name"]) == ("pending", ["sponsor"], "Dora again")
    assert (await site.program().sign_in(dora.email, dora.password)).status_code == 401
    assert (await site.program().sign_in(dora.email, asked["password"])).json()["code"] == "account_pending"


async def test_a_suspended_person_gains_nothing_by_applying_again(site: Site, program: Program) -> None:
    sam = await makers.person(site, "sponsor", status="suspended")
    again = form(sam.email) | {"role": "member"}
    assert (await program.post("/api/v1/people", again)).status_code == 201
    assert (await site.program().sign_in(sam.email, again["password"])).status_code == 401
    assert (await site.program().sign_in(sam.email, sam.password)).json()["code"] == "account_suspended"
