"""Many writers on one document at once, over the API: what was accepted is in the history, the rest was told so.

The short version runs in the application itself; `make proof` takes 50 writers with 20 saves each to a house of two workers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests import makers
from tests.cast import Cast
from tests.e2e.house import House
from tests.e2e.people import Programs, Secrets, engage

Call = Callable[..., Awaitable[httpx.Response]]
PAGE = 100


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house of its own, with limits that do not stand in the way."""
    house = House(SCRIPTORIUM_LIMIT_SCALE="10000")
    try:
        house.start()
        yield house
        assert house.stop() == 0
    finally:
        house.demolish()


async def write(call: Call, path: str, line: str) -> tuple[int, int, str]:
    """Read, add a line, save: the status, and the version and the text that save was to make."""
    read = (await call("GET", path)).json()
    body = f"{read['body']}{line}\n"
    answer = await call("PATCH", path, {"body": body}, If_Match=f'"{read["version"]}"')
    if answer.status_code == 412:
        assert answer.json()["code"] == "stale"
        assert answer.json()["current_version"] > read["version"]
    else:
        assert (answer.status_code, answer.json()["version"]) == (200, read["version"] + 1), answer.text
    return answer.status_code, read["version"] + 1, body


async def race(path: str, writers: Sequence[Call], saves: int, thinking: float = 0.0) -> tuple[int, int]:
    """Let all of them save, each thinking up to so many seconds before; then hold the history against the answers.

    Returns how many saves were accepted and how many came too late.
    """

    async def one(number: int, call: Call) -> list[tuple[int, int, str]]:
        done = []
        for save in range(saves):
            await asyncio.sleep(random.uniform(0, thinking))
            done.append(await write(call, path, f"writer {number}, save {save}"))
        return done

    tries = await asyncio.gather(*(one(number, call) for number, call in enumerate(writers)))
    answered = [each for writer in tries for each in writer]
    accepted = {version: body for status, version, body in answered if status == 200}
    assert len(accepted) == sum(status == 200 for status, _, _ in answered), "two saves made the same version"
    call = writers[0]
    current = (await call("GET", path)).json()
    assert current["version"] == 1 + len(accepted)
    assert sorted(accepted) == list(range(2, current["version"] + 1))
    assert await history(call, path) == dict.fromkeys(accepted, "Changed text") | {1: "Commissioned"}
    for version, body in accepted.items():
        assert (await call("GET", f"{path}/versions/{version}")).json()["body"] == body
    # Each builds on the one before, so the last holds every line that was accepted, and no other.
    lines = [body.splitlines()[-1] for _, body in sorted(accepted.items())]
    assert current["body"].splitlines()[-len(lines) :] == lines
    return len(accepted), len(answered) - len(accepted)


async def history(call: Call, path: str) -> dict[int, str]:
    """All versions there are, each with what is said of it."""
    found: dict[int, str] = {}
    cursor = ""
    while True:
        page = (await call("GET", f"{path}/versions?limit={PAGE}{cursor}")).json()
        found |= {row["version"]: row["summary"] for row in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_eight_writers_five_saves(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob)
    callers = [(cast.alice, cast.bob)[number % 2].program.call for number in range(8)]
    accepted, late = await race(f"/api/v1/documents/{made['id']}", callers, 5)
    assert accepted >= 5  # somebody is always first
    assert late > 0


@pytest.mark.proof
async def test_fifty_writers_twenty_saves(house: House) -> None:
    programs = Programs(house, Secrets())
    people = await engage(programs, "# Ink\n")
    tokens = [await programs.token(person) for person in (people.sponsor, people.editor)]
    clients = [httpx.AsyncClient(base_url=house.url, timeout=60) for _ in range(50)]

    def caller(number: int, http: httpx.AsyncClient) -> Call:
        bearer = {"Authorization": f"Bearer {tokens[number % 2]}"}

        async def call(method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
            said = bearer | {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, path, json=json, headers=said)

        return call

    try:
        callers = [caller(number, http) for number, http in enumerate(clients)]
        accepted, late = await race(f"/api/v1/documents/{people.document_id}", callers, 20, thinking=2.0)
        assert accepted + late == 1000
        print(f"\n50 writers, 20 saves each: {accepted} accepted, all in the history; {late} answered 412")  # noqa: T201 - `make proof` reads it
    finally:
        for client in clients:
            await client.aclose()
        await programs.http.aclose()
