"""A house through its life: stopped, started again, killed, started over https; nothing lost and nothing left."""

from __future__ import annotations

import signal
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from tests.e2e.forms import sign_in
from tests.e2e.house import House
from tests.e2e.people import Cast, Programs, Secrets

SOON = 20.0  # seconds a second start may take with other tests at its side; alone it takes three


def tell(what: str, seconds: float) -> None:
    """Say how long it took to whoever runs this with -s."""
    print(f"\n{what}: {seconds:.1f} s")  # noqa: T201 - a measurement is of no use unless somebody can see it


@dataclass
class Life:
    """A house with people in it, somebody signed in, and a text under way."""

    house: House
    cast: Cast
    programs: Programs
    browser: httpx.AsyncClient

    async def texts(self, token: str) -> Any:
        """What is written in the house."""
        document = await self.programs.ask("GET", f"/api/v1/documents/{self.cast.document_id}", token)
        entries = await self.programs.ask("GET", "/api/v1/entries")
        assert document["state"] == "in_progress"
        assert entries["items"]
        return document, entries["items"]

    async def goes_on(self) -> None:
        """The people are as they were."""
        for person in (self.cast.admin, self.cast.member, self.cast.editor):
            await self.programs.token(person)

    async def still_signed_in(self) -> bool:
        """Whether the cookie from before opens the account."""
        account = await self.browser.get("/account")
        return account.status_code == 200 and self.cast.sponsor.display_name in account.text


@pytest.fixture
async def life(house: House, cast: Cast, programs: Programs, known: Secrets) -> AsyncIterator[Life]:
    """The house of this folder, which has been lived in; afterwards it is as it was."""
    async with httpx.AsyncClient(base_url=house.url) as browser:
        assert (await sign_in(browser, cast.sponsor, known)).status_code == 303
        yield Life(house, cast, programs, browser)
    if house.choices.pop("TLS", "") or not house.running:
        if house.running:
            assert house.stop() == 0
        house.start()


async def test_stopping_and_starting_again_keeps_everything(life: Life) -> None:
    token = await life.programs.token(life.cast.sponsor)
    written = await life.texts(token)
    assert await life.still_signed_in()
    assert life.house.stop(signal.SIGINT) == 0
    assert life.house.left() == []
    assert "Everything is stopped" in life.house.said
    took = life.house.start()
    tell("first start", life.house.starts[0])
    tell("second start", took)
    assert took < max(SOON, life.house.starts[0])
    assert await life.still_signed_in()
    assert await life.texts(token) == written
    await life.goes_on()


async def test_after_a_kill_it_starts_again_and_over_https_if_asked(life: Life, known: Secrets) -> None:
    house = life.house
    written = await life.texts(await life.programs.token(life.cast.sponsor))
    house.kill()
    house.choices["TLS"] = "1"
    tell("start after a kill, over https", house.start())
    trust = ssl.create_default_context(cafile=str(house.state / "tls" / "ca.pem"))
    secure = Programs(house, known, verify=trust)
    async with secure.http, httpx.AsyncClient(base_url=house.url, verify=trust) as browser:
        again = replace(life, programs=secure, browser=browser)
        await cookies_are_bound_to_the_host(browser, await sign_in(browser, life.cast.sponsor, known))
        assert await again.still_signed_in()
        assert await again.texts(await secure.token(life.cast.sponsor)) == written
        await again.goes_on()
        for path in ("/", "/nope", "/api/unsecure", "/static/site.css"):
            answer = await browser.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    async with httpx.AsyncClient() as trusting_nobody_new:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await trusting_nobody_new.get(house.url)


async def cookies_are_bound_to_the_host(browser: httpx.AsyncClient, answer: httpx.Response) -> None:
    assert answer.status_code == 303, answer.text
    assert all(name.startswith("__Host-") for name in browser.cookies)
    (given,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-scriptorium=")]
    parts = {part.strip().lower() for part in given.split(";")[1:]}
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)
