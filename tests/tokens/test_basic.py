"""HTTP Basic, remembered for a moment: it cannot be used to burn hashes, and ends with its person."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import httpx

from app.accounts import basic
from app.accounts.basic import BasicCache
from app.passwords import PasswordHasher
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site
from tests.soon import soon


async def protected(program: Program, person: Person, password: str = "") -> httpx.Response:
    pair = b64encode(f"{person.email}:{password or person.password}".encode()).decode()
    return await program.call("GET", "/protected", Authorization=f"Basic {pair}")


async def hashes(site: Site, program: Program, person: Person, times: int, password: str = "") -> int:
    """How many passwords were hashed for so many calls."""
    hasher: PasswordHasher = site.resources.passwords
    counted, verify = [0], hasher.verify

    async def counting(*args: object, **options: object) -> object:
        counted[0] += 1
        return await verify(*args, **options)  # type: ignore[arg-type]

    hasher.verify = counting  # type: ignore[method-assign,assignment]
    try:
        for _ in range(times):
            await protected(program, person, password)
    finally:
        del hasher.verify
    return counted[0]


async def test_a_right_pair_is_hashed_once(site: Site, program: Program) -> None:
    person = await makers.person(site)
    assert await hashes(site, program, person, 5) == 1


async def test_a_wrong_pair_is_never_remembered(site: Site, program: Program) -> None:
    person = await makers.person(site)
    assert await hashes(site, program, person, 3, "wrong") == 3
    assert (await protected(program, person)).status_code == 200
    assert (await protected(program, person, "wrong")).status_code == 401


async def test_nothing_that_could_be_guessed_against_is_kept() -> None:
    one, other = BasicCache(), BasicCache()
    assert one.name("A@example.org", "x") == one.name("a@example.org", "x")
    assert one.name("a@example.org", "x") != one.name("a@example.org", "y")
    assert one.name("a@example.org", "x") != other.name("a@example.org", "x"), "the key is of one process"
    assert timedelta(0) < basic.GOOD_FOR <= timedelta(minutes=1)


async def test_it_ends_with_its_person(site: Site, ada: Person, program: Program) -> None:
    person = await makers.person(site)
    assert (await protected(program, person)).status_code == 200
    await ada.program.post(f"/api/v1/admin/people/{person.id}/suspend", {"reason": "for the test"})
    answer = await soon(lambda: protected(program, person), 403)
    assert answer.json()["code"] == "account_suspended"
