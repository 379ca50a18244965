"""80 guesses released together on two workers: at most 5 reach the password check, and nobody else is locked out."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from tests.e2e.burst import Answer, release_together, request
from tests.e2e.forms import filled_in, open_form
from tests.e2e.people import Cast, Person, Programs

GUESSES, LIMIT, ROUNDS = 80, 5, 5
SUCCESS = {"page": 303, "json": 200, "basic": 200}


async def message(programs: Programs, face: str, person: Person) -> bytes:
    """A sign-in of this person through one of the three doors."""
    port = programs.house.port
    if face == "json":
        body = json.dumps({"email": person.email, "password": person.password})
        return request("POST", "/api/login", port, {"Content-Type": "application/json"}, body)
    if face == "basic":
        credentials = base64.b64encode(f"{person.email}:{person.password}".encode()).decode()
        return request("GET", "/protected", port, {"Authorization": f"Basic {credentials}"})
    async with httpx.AsyncClient(base_url=programs.house.url) as http:
        cookies, form_token = await open_form(http, programs.known)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookies,
        "Origin": programs.house.url,
        "Sec-Fetch-Site": "same-origin",
    }
    return request("POST", "/login", port, headers, filled_in(person, form_token))


async def burst(programs: Programs, face: str, person: Person, count: int) -> list[Answer]:
    sent = await message(programs, face, person)
    return await asyncio.to_thread(release_together, programs.house.port, sent, count)


async def looked_at(programs: Programs, cast: Cast, person_id: str) -> int:
    """How often a password was compared with this person's and found wrong, as the audit trail has it."""
    token = await programs.token(cast.admin)
    wanted = {"kind": "sign_in.refused", "target": person_id, "limit": "100"}
    found = await programs.ask("GET", "/api/v1/admin/audit", token, params=wanted)
    return len(found["items"])


async def id_of(programs: Programs, person: Person) -> str:
    return str((await programs.ask("GET", "/api/v1/me", await programs.token(person)))["id"])


@pytest.mark.parametrize("face", ["page", "json", "basic"])
async def test_a_burst_of_guesses(programs: Programs, cast: Cast, face: str) -> None:
    owner = Person("member", f"Owner behind the {face}")
    await programs.register(owner)
    owner_id = await id_of(programs, owner)
    thief = replace(owner, password="not the words the owner chose")

    answers = await burst(programs, face, thief, GUESSES)
    counted = Counter(answer.status for answer in answers)
    assert set(counted) == {401, 429}, counted
    assert 1 <= counted[401] <= LIMIT
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status == 429)
    assert await looked_at(programs, cast, owner_id) == counted[401]

    (right,) = await burst(programs, face, owner, 1)
    assert right.status == 429
    assert 1 <= int(right.headers["Retry-After"]) <= 60
    assert await looked_at(programs, cast, owner_id) == counted[401]


@pytest.mark.parametrize("face", ["page", "json", "basic"])
async def test_a_burst_of_right_passwords_all_come_in(programs: Programs, face: str) -> None:
    person = Person("member", f"Busy behind the {face}")
    await programs.register(person)
    waiting = GUESSES
    # Hashing takes the processor it is given: on a machine busy with other things some are asked to come back.
    for _ in range(ROUNDS):
        answers = await burst(programs, face, person, waiting)
        assert {answer.status for answer in answers} <= {SUCCESS[face], 429}
        later = [answer for answer in answers if answer.status == 429]
        assert {answer.headers["Retry-After"] for answer in later} <= {"1"}, "a right password counted as a wrong one"
        waiting = len(later)
        if not waiting:
            return
    pytest.fail(f"{waiting} of {GUESSES} never came in")
