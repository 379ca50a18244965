"""A house through its life: stopped by Ctrl-C, started again, killed, started over https; nothing lost, nothing left."""

from __future__ import annotations

import signal
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.forms import sign_in
from tests.e2e.house import House
from tests.e2e.manuscript import sample
from tests.e2e.people import Cast, Programs, Secrets, engage

SOON = 20.0  # seconds a second start may take here, with other tests at its side; alone it takes a few


@dataclass
class Life:
    """A house with people in it and somebody signed in."""

    house: House
    cast: Cast
    programs: Programs
    browser: httpx.AsyncClient
    token: str

    async def goes_on(self) -> None:
        """Everything is as it was: the open session, the token, the people, the texts."""
        account = await self.browser.get("/account")
        assert account.status_code == 200, "the session is lost"
        assert self.cast.sponsor.display_name in account.text
        document = await self.programs.ask("GET", f"/api/v1/documents/{self.cast.document_id}", self.token)
        assert (document["body"], document["state"]) == (sample(), "in_progress")
        entries = await self.programs.ask("GET", "/api/v1/entries")
        assert [entry["id"] for entry in entries["items"]] == [self.cast.entry_id]
        for person in (self.cast.admin, self.cast.member, self.cast.editor):
            await self.programs.token(person)


@pytest.fixture(scope="module")
async def life(known: Secrets) -> AsyncIterator[Life]:
    house = House()
    try:
        print(f"\nfirst start: {house.start():.1f} s")
        programs = Programs(house, known)
        cast = await engage(programs, sample())
        async with programs.http, httpx.AsyncClient(base_url=house.url) as browser:
            assert (await sign_in(browser, cast.sponsor, known)).status_code == 303
            yield Life(house, cast, programs, browser, await programs.token(cast.sponsor))
        assert house.stop() == 0
        assert house.left() == []
    finally:
        house.demolish()


async def test_stopping_and_starting_again_keeps_everything(life: Life) -> None:
    await life.goes_on()
    assert life.house.stop(signal.SIGINT) == 0
    assert life.house.left() == []
    assert "Everything is stopped" in life.house.said
    took = life.house.start()
    print(f"\nsecond start: {took:.1f} s")
    assert took < SOON
    await life.goes_on()


async def test_after_a_kill_it_starts_again_and_keeps_everything(life: Life) -> None:
    life.house.kill()
    took = life.house.start()
    print(f"\nstart after a kill: {took:.1f} s")
    await life.goes_on()


async def test_over_https_cookies_are_bound_to_the_host(life: Life, known: Secrets) -> None:
    house = life.house
    assert house.stop() == 0
    assert house.left() == []
    house.choices["TLS"] = "1"
    try:
        house.start()
        trust = ssl.create_default_context(cafile=str(house.state / "tls" / "ca.pem"))
        async with httpx.AsyncClient(base_url=house.url, verify=trust) as browser:
            answer = await sign_in(browser, life.cast.member, known)
            assert answer.status_code == 303, answer.text
            given = [line for line in answer.headers.get_list("set-cookie") if "scriptorium=" in line]
            assert len(given) == 1
            assert given[0].startswith("__Host-scriptorium=")
            parts = {part.strip().lower() for part in given[0].split(";")[1:]}
            assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
            assert not any(part.startswith("domain") for part in parts)
            for path in ("/", "/nope", "/api/unsecure", "/static/site.css"):
                answered = await browser.get(path)
                assert answered.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
                assert all(name.startswith("__Host-") for name in answered.cookies)
            account = await browser.get("/account")
            assert life.cast.member.display_name in account.text
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(house.url)
    finally:
        house.stop()
        del house.choices["TLS"]
        house.start()
