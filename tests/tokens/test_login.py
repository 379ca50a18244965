"""Signing in as a program, by both addresses and by Basic, and what the answers say."""

from __future__ import annotations

from base64 import b64encode

import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.client import Program
from tests.site import Site


@pytest.mark.parametrize("path", ["/api/login", "/api/v1/auth/token"])
async def test_a_pair_of_tokens(site: Site, program: Program, path: str) -> None:
    person = await makers.person(site)
    answer = await program.post(path, {"email": person.email.upper(), "password": person.password})
    assert answer.status_code == 200
    pair = answer.json()
    assert pair["token_type"] == "Bearer"
    assert 0 < pair["expires_in"] <= 900
    assert pair["refresh_token"]
    assert answer.headers["cache-control"] == "no-store"
    me = await program.call("GET", "/api/v1/me", token=pair["access_token"])
    assert me.json()["id"] == str(person.id)
    assert (await program.call("GET", "/protected_data", token=pair["access_token"])).status_code == 200


async def test_username_stands_for_email(site: Site, program: Program) -> None:
    person = await makers.person(site)
    asked = {"username": person.email, "password": person.password}
    assert (await program.post("/api/login", asked)).status_code == 200


async def test_nothing_of_a_token_is_stored(site: Site, program: Program) -> None:
    person = await makers.person(site)
    await program.sign_in(person.email, person.password)
    rows = await site.rows(
        "SELECT f::text || t::text AS said FROM token_families f JOIN refresh_tokens t ON t.family_id = f.id "
        "WHERE f.person_id = :id",
        id=person.id,
    )
    assert len(rows) == 1
    assert program.refresh_token not in rows[0].said
    assert program.token not in rows[0].said


async def test_wrong_pairs_look_the_same(program: Program, bob: Person) -> None:
    answers = [
        await program.post("/api/login", {"email": email, "password": makers.passphrase()})
        for email in (bob.email, makers.address(), "not an address", "", "x" * 4000)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {(answer.json()["code"], answer.json()["detail"]) for answer in answers} == {
        ("wrong_credentials", "The address or the password is not right.")
    }


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"password"}),
        ({"email": "a@b.example"}, {"password"}),
        ({"password": "x"}, {"email"}),
        ({"email": 1, "password": "x"}, {"email"}),
        ({"email": "a@b.example", "password": None}, {"password"}),
        ({"email": "a@b.example", "password": "x", "remember": True}, {"remember"}),
        ({"email": "a@b.example", "password": ["x"]}, {"password"}),
    ],
)
async def test_what_is_no_sign_in(program: Program, body: object, wrong: set[str]) -> None:
    refused = await program.post("/api/login", body)
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == wrong


@pytest.mark.parametrize("status", ["pending", "declined", "suspended"])
async def test_people_who_may_not_work_get_no_token(site: Site, program: Program, status: str) -> None:
    person = await makers.person(site, "sponsor", status=status)
    for path in ("/api/login", "/api/v1/auth/token"):
        refused = await program.post(path, {"email": person.email, "password": person.password})
        assert (refused.status_code, refused.json()["code"]) == (403, f"account_{status}")
    basic = await program.http.get("/protected", auth=(person.email, person.password))
    assert (basic.status_code, basic.json()["code"]) == (403, f"account_{status}")
    wrong = await program.post("/api/login", {"email": person.email, "password": makers.passphrase()})
    assert wrong.status_code == 401, "how things stand is told to nobody but its owner"


async def test_unsecure_and_secure(program: Program, cast: Cast) -> None:
    assert (await program.get("/api/unsecure")).status_code == 200
    refused = await program.get("/api/secure")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["detail"] == "Missing Authorization Header"
    assert refused.headers["content-type"] == "application/problem+json"
    greeted = (await cast.max.program.get("/api/secure")).json()
    assert (greeted["display_name"], greeted["roles"]) == ("Max", ["member"])


async def test_cookies_mean_nothing_to_the_api(cast: Cast) -> None:
    assert (await cast.alice.browser.get("/api/secure")).status_code == 401
    assert (await cast.alice.browser.get("/api/v1/me")).status_code == 401
    token = {"Authorization": f"Bearer {cast.alice.program.token}"}
    assert (await cast.alice.program.http.get("/account", headers=token)).status_code == 303


async def test_basic(site: Site, program: Program) -> None:
    person = await makers.person(site, name="Ünal")
    asked = await program.get("/protected")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"] == 'Basic realm="Scriptorium", charset="UTF-8"'
    good = await program.http.get("/protected", auth=(person.email, person.password))
    assert (good.status_code, good.json()["display_name"]) == (200, "Ünal")
    again = await program.http.get("/protected", auth=(person.email, person.password))
    assert again.status_code == 200
    wrong = await program.http.get("/protected", auth=(person.email, person.password + "x"))
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"].startswith("Basic")
    bearer = await program.http.get("/protected/", auth=(person.email, person.password), follow_redirects=True)
    assert bearer.status_code == 200


async def test_basic_takes_passwords_in_any_script_and_with_colons(site: Site, program: Program) -> None:
    phrase = f"пароль:для:входа {makers.passphrase()}"
    email = makers.address()
    made = await program.post("/api/v1/people", {"email": email, "display_name": "N", "password": phrase})
    assert made.status_code == 201
    credential = b64encode(f"{email}:{phrase}".encode()).decode()
    assert (await program.get("/protected", Authorization=f"Basic {credential}")).status_code == 200
    assert (await program.get("/protected", Authorization=f"basic {credential}")).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic " + b64encode(b"nocolon").decode(), "Basic " + b64encode(b"\xff:\xfe").decode(),
     "Basic " + b64encode(b":").decode(), "Basic " + b64encode(b"a:" + b"x" * 5000).decode(), "Digest x", "Bearer", "x"],
)  # fmt: skip
async def test_undecodable_credentials_are_answered_401(program: Program, header: str) -> None:
    refused = await program.get("/protected", Authorization=header)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")


async def test_basic_is_for_its_own_address_only(program: Program, bob: Person) -> None:
    for path in ("/api/secure", "/api/v1/me", "/protected_data"):
        refused = await program.http.get(path, auth=(bob.email, bob.password))
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


async def test_protected_data_needs_its_scope(program: Program, bob: Person) -> None:
    assert (await program.get("/protected_data")).status_code == 401
    assert (await program.call("GET", "/protected_data", token="x.y.z")).status_code == 401
    assert (await bob.program.get("/protected_data")).status_code == 200
    key = (await bob.program.post("/api/v1/me/keys", {"name": "narrow", "scopes": ["entries:read"]})).json()["key"]
    refused = await program.call("GET", "/protected_data", token=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
