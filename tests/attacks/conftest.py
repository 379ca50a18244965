"""A house over TLS with people in it, and how a tool comes in as one of them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.client import _TOKEN
from tests.e2e.house import House
from tests.e2e.people import Cast, Person, Programs, Secrets, engage

ROLES = ("nobody", "member", "sponsor", "editor", "admin")


@pytest.fixture(scope="session")
def attacked() -> Iterator[House]:
    """Its limits are wide, so that what the tools send arrives; those have tests of their own."""
    house = House(TLS="1", SCRIPTORIUM_LIMIT_SCALE="10000")
    try:
        house.start()
        yield house
        assert house.stop() == 0
    finally:
        house.demolish()


@pytest.fixture(scope="session")
def trust(attacked: House) -> ssl.SSLContext:
    """The house's own authority."""
    return ssl.create_default_context(cafile=attacked.state / "tls" / "ca.pem")


@pytest.fixture(scope="session")
async def programs(attacked: House, trust: ssl.SSLContext) -> AsyncIterator[Programs]:
    caller = Programs(attacked, Secrets(), verify=trust)
    yield caller
    await caller.http.aclose()


@pytest.fixture(scope="session")
async def cast(programs: Programs) -> Cast:
    return await engage(programs, "A text with *some* words.\n")


@dataclass(frozen=True)
class Entry:
    """How somebody comes in: what a browser sends with each request, and a program's token."""

    headers: dict[str, str]
    token: str


@pytest.fixture(scope="session")
def come_in(
    attacked: House, cast: Cast, programs: Programs, trust: ssl.SSLContext
) -> Callable[[str], Awaitable[Entry]]:
    """Sign in by both doors."""

    async def sign_in(role: str) -> Entry:
        said = {"Origin": attacked.url, "Sec-Fetch-Site": "same-origin"}
        if role == "nobody":
            return Entry(said, "")
        person: Person = getattr(cast, role)
        async with httpx.AsyncClient(base_url=attacked.url, verify=trust, headers=said) as browser:
            token = _TOKEN.search((await browser.get("/login")).text)
            assert token
            form = {"form_token": token[1], "email": person.email, "password": person.password}
            assert (await browser.post("/login", data=form)).status_code == 303
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return Entry({**said, "Cookie": cookies}, await programs.token(person))

    return sign_in
