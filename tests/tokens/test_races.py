"""Refresh tokens under many hands at once, across a revocation, and across a restart of the whole application."""

from __future__ import annotations

import asyncio

import pytest

from local.stack import Stack
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site, running
from tests.tokens.test_refresh import outlive_grace, refresh

AT_ONCE = 20


async def race(site: Site, program: Program, person: Person, token: str) -> str:
    """Use one token many times at once; returns the one successor."""
    answers = await asyncio.gather(*(refresh(program, token) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {200}
    successors: set[str] = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    live = await site.rows(
        "SELECT count(*) FROM refresh_tokens JOIN token_families ON id = family_id "
        "WHERE person_id = :id AND used_at IS NULL AND ended_at IS NULL",
        id=person.id,
    )
    assert live[0][0] == 1, "one live successor, never two"
    return successors.pop()


async def trials(site: Site, program: Program, count: int) -> None:
    """Race again and again down one family, then replay the first token after its grace."""
    person = await makers.signed_in(site)
    await site.change("DELETE FROM token_families WHERE person_id = :id", id=person.id)
    await person.program.sign_in(person.email, person.password)
    first = token = person.program.refresh_token
    for _ in range(count):
        token = await race(site, program, person, token)
    await outlive_grace(site, person)
    assert (await refresh(program, first)).json()["code"] == "refresh_token_reused"
    assert (await refresh(program, token)).json()["code"] == "refresh_token_dead"


async def test_twenty_at_once_again_and_again(site: Site, program: Program) -> None:
    await trials(site, program, 10)


@pytest.mark.proof
async def test_twenty_at_once_a_thousand_times(site: Site, program: Program) -> None:
    await trials(site, program, 1000)


async def test_revoking_beats_refreshing(site: Site, program: Program) -> None:
    for _ in range(5):
        person = await makers.signed_in(site)
        token = person.program.refresh_token
        answers = await asyncio.gather(
            *(refresh(program, token) for _ in range(10)),
            program.post("/api/v1/auth/revoke", {"token": token}),
            *(refresh(program, token) for _ in range(10)),
        )
        assert answers[10].status_code == 204
        for answer in answers:
            if answer.status_code == 200:
                successor = answer.json()["refresh_token"]
                assert (await refresh(program, successor)).status_code == 401, "what came of it is dead as well"
        assert (await refresh(program, token)).status_code == 401


async def test_tokens_survive_a_restart(app_stack: Stack) -> None:
    async with running(app_stack, prepare=lambda _: None) as before:
        person = await makers.signed_in(before)
        lost = (await refresh(before.program(), person.program.refresh_token)).json()["refresh_token"]
    async with running(app_stack, PUBLIC_URL=before.settings.public_url) as after:
        program = after.program()
        again = await refresh(program, person.program.refresh_token)
        assert again.json()["refresh_token"] == lost, "the lost reply is given again by another process"
        assert (await refresh(program, lost)).status_code == 200
        assert (await program.call("GET", "/api/v1/me", token=person.program.token)).status_code == 200
