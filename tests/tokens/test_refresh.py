"""Refresh tokens: used once, answered again for a moment, stolen ones end their family; and revocation."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site
from tests.soon import soon

DEAD = "refresh_token_dead"
REUSED = "refresh_token_reused"


async def refresh(program: Program, token: str) -> httpx.Response:
    return await program.post("/api/v1/auth/refresh", {"refresh_token": token})


async def outlive_grace(site: Site, person: Person) -> None:
    """Let the grace of every used refresh token of this person be over."""
    await site.change(
        "UPDATE refresh_tokens SET used_at = used_at - interval '1 minute' "
        "WHERE family_id IN (SELECT id FROM token_families WHERE person_id = :id)",
        id=person.id,
    )


async def test_each_exchange_gives_a_new_pair(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    token = person.program.refresh_token
    for _ in range(3):
        answer = await refresh(program, token)
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != token
        token = answer.json()["refresh_token"]
        assert (await program.call("GET", "/api/v1/me", token=answer.json()["access_token"])).status_code == 200


async def test_a_lost_answer_is_given_again_with_the_same_successor(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    first, second = [await refresh(program, person.program.refresh_token) for _ in range(2)]
    assert second.status_code == 200
    assert first.json()["refresh_token"] == second.json()["refresh_token"]


async def test_many_at_once_get_one_successor(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    answers = await asyncio.gather(*(refresh(program, person.program.refresh_token) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_a_use_after_the_grace_ends_the_family(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    thief = person.program.refresh_token
    pair = (await refresh(program, thief)).json()
    await outlive_grace(site, person)
    refused = await refresh(program, thief)
    assert (refused.status_code, refused.json()["code"]) == (401, REUSED)
    assert (await refresh(program, pair["refresh_token"])).json()["code"] == DEAD
    await soon(lambda: program.call("GET", "/api/v1/me", token=pair["access_token"]), 401)
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    assert (await person.browser.get("/account")).status_code == 200, "other sign-ins stay"
    (family,) = await site.rows("SELECT * FROM token_families WHERE person_id = :id", id=person.id)
    assert family.ended_why == "refresh token used again"
    assert (await site.events(family.id))[-1].kind == "token.revoked"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE token_families SET ends_at = now() WHERE person_id = :id",
        "UPDATE people SET epoch = epoch + 1 WHERE id = :id",
        "DELETE FROM token_families WHERE person_id = :id",
    ],
)
async def test_dead_ones_are_401(site: Site, program: Program, change: str) -> None:
    person = await makers.signed_in(site)
    await site.change(change, id=person.id)
    refused = await refresh(program, person.program.refresh_token)
    assert (refused.status_code, refused.json()["code"]) == (401, DEAD)
    assert (await person.program.get("/api/v1/me")).status_code == 401


async def test_unknown_ones_are_401(program: Program, bob: Person) -> None:
    for token in ("x", "scr_rt_" + "x" * 43, bob.program.token, "ü", "", " "):
        refused = await refresh(program, token)
        assert refused.status_code == 401, token


async def test_a_refresh_token_is_no_access_token(program: Program, bob: Person) -> None:
    assert (await program.call("GET", "/api/v1/me", token=bob.program.refresh_token)).status_code == 401


@pytest.mark.parametrize("kind", ["access", "refresh"])
async def test_revoking_ends_the_family(site: Site, program: Program, kind: str) -> None:
    person = await makers.signed_in(site)
    other = site.program()
    await other.sign_in(person.email, person.password)
    token = person.program.token if kind == "access" else person.program.refresh_token
    for _ in range(2):  # again is answered the same (RFC 7009 2.2)
        answer = await program.post("/api/v1/auth/revoke", {"token": token})
        assert (answer.status_code, answer.content) == (204, b"")
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    assert (await refresh(program, person.program.refresh_token)).status_code == 401
    assert (await other.get("/api/v1/me")).status_code == 200
    ended = await site.rows(
        "SELECT id FROM token_families WHERE person_id = :id AND ended_at IS NOT NULL", id=person.id
    )
    assert [event.kind for event in await site.events(ended[0].id)][-1] == "token.revoked"
    assert len(await site.events(ended[0].id, "token.revoked")) == 1


async def test_revoking_what_is_unknown_is_answered_the_same(program: Program) -> None:
    for token in ("x", "a.b.c", "scr_rt_x", ""):
        assert (await program.post("/api/v1/auth/revoke", {"token": token})).status_code == 204


async def test_refreshed_tokens_carry_the_same_scopes(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    first = (await program.post("/api/login", {"email": person.email, "password": person.password})).json()
    second = (await refresh(program, first["refresh_token"])).json()
    assert first["scope"] == second["scope"]
