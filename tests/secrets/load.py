"""People and programs at work in a running application, each by another kind of key, and everything they were answered."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.e2e.forms import filled_in, open_form, sign_in
from tests.e2e.people import Person, Secrets
from tests.networked import calling
from tests.secrets.wire import Wire

OUT = (401, 403)


@dataclass(frozen=True)
class Seen:
    """One answer: when it was asked for and given, to whom, and its status; 0 when the connection broke."""

    began: float
    ended: float
    who: str
    status: int


@dataclass
class Load:
    """The work, while it goes on."""

    url: str
    keep_alive: bool = True
    seen: list[Seen] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    kids: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=40, max_keepalive_connections=40 if self.keep_alive else 0)
        self.http = calling(self.url, limits=limits)
        self.person = Person("member", "Busy Bee")
        self._bearer = ""
        self._refresh = ""
        self._cookies = ""
        self._ended = False
        self._wires: list[Wire] = []

    async def open(self) -> None:
        """Make an account, sign in as a program and in a browser."""
        person = self.person
        body = {name: getattr(person, name) for name in ("email", "display_name", "password", "role")}
        (await self.http.post("/api/v1/people", json=body)).raise_for_status()
        given = (await self.http.post("/api/login", json={"email": person.email, "password": person.password})).json()
        self._bearer, self._refresh = given["access_token"], given["refresh_token"]
        async with calling(self.url) as browser:
            await sign_in(browser, person, Secrets())
            self._cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    # --- who works

    async def program(self) -> None:
        """Asks with an access token (the token ring)."""
        await self._note("program", self.http.get("/api/v1/me", headers={"Authorization": f"Bearer {self._bearer}"}))

    async def caller(self) -> None:
        """Asks the lightest question there is with an access token, over a connection that stays open."""
        wire = (
            self._wires.pop() if self._wires else Wire(str(self.http.base_url.host), int(self.http.base_url.port or 0))
        )
        began = time.time()
        status = await wire.ask("/api/secure", f"Authorization: Bearer {self._bearer}")
        self.seen.append(Seen(began, time.time(), "caller", status))
        if self.keep_alive:
            self._wires.append(wire)
        else:
            wire.close()

    async def reader(self) -> None:
        """Looks with a session cookie from before every rotation (the session ring)."""
        await self._note("reader", self.http.get("/account/sessions", headers={"Cookie": self._cookies}))

    async def writer(self) -> None:
        """Publishes an entry, and remembers whether that was acknowledged."""
        title = f"{self.mark} {secrets.token_hex(8)}"
        asked = self.http.post(
            "/api/v1/entries",
            json={"title": title, "body": "Written under load.\n"},
            headers={"Authorization": f"Bearer {self._bearer}"},
        )
        answer = await self._note("writer", asked)
        if answer is None:
            self.doubted.append(title)
        elif answer.is_success:
            self.kept[title] = str(answer.json()["id"])
        else:
            self.refused.append(title)

    async def refresher(self) -> None:
        """Exchanges the refresh token (the refresh ring) for a new pair, signed by the newest active token key."""
        answer = await self._note(
            "refresher", self.http.post("/api/v1/auth/refresh", json={"refresh_token": self._refresh})
        )
        if answer is not None and answer.is_success:
            given = answer.json()
            self._bearer, self._refresh = given["access_token"], given["refresh_token"]
            self.kids.append(self._bearer)
        await asyncio.sleep(0.3)

    async def visitor(self) -> None:
        """Opens the sign-in form, dawdles over it, and signs in (the csrf and pepper rings)."""
        async with calling(self.url) as browser:
            _, form_token = await open_form(browser, Secrets())
            await asyncio.sleep(1.5)
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.url}
            await self._note(
                "visitor", browser.post("/login", content=filled_in(self.person, form_token), headers=headers)
            )

    # --- what came of it

    def wrong(self, *, ignore: range = range(0)) -> Counter[tuple[str, int]]:
        """Answers that should not have been: errors of ours, refusals of valid credentials, broken connections."""
        # A browser that was signed out is sent to the sign-in page, not refused.
        lost = (one for one in self.seen if one.who == "reader" and 300 <= one.status < 400)
        bad = (*(one for one in self.seen if one.status >= 500 or one.status in OUT or one.status == 0), *lost)
        return Counter((one.who, one.status) for one in bad if one.status not in ignore)

    def recovered_after(self, moment: float) -> float:
        """Seconds from a moment to the end of the last failure after it, or to the first success if none failed."""
        later = [one for one in self.seen if one.began >= moment]
        failed = [one.ended for one in later if one.status >= 500 or one.status == 0]
        good = [one.ended for one in later if 200 <= one.status < 400 and one.began >= max(failed, default=moment)]
        assert good, "nothing worked afterwards"
        return min(good) - moment

    async def _note(self, who: str, asked: Awaitable[httpx.Response]) -> httpx.Response | None:
        began = time.time()
        try:
            answer = await asked
        except httpx.TransportError:
            self.seen.append(Seen(began, time.time(), who, 0))
            return None
        self.seen.append(Seen(began, time.time(), who, answer.status_code))
        return answer

    async def _keep(self, work: Callable[[], Awaitable[None]], pause: float, every: float, first: float) -> None:
        due = time.monotonic() + first
        while not self._ended:
            if every:
                # By the clock, however long an answer takes; whoever fell behind does not catch up in a burst.
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due = max(due + every, time.monotonic())
            await work()
            if not every:
                await asyncio.sleep(pause)

    @asynccontextmanager
    async def going(self, pause: float = 0.05, every: float = 0.0, **workers: int) -> AsyncIterator[None]:
        """Let so many of each kind work, with a pause after each answer or `every` so many seconds; all have finished
        what they began when this ends."""
        self._ended = False
        tasks = [
            asyncio.create_task(self._keep(getattr(self, kind), pause, every, every * number / count))
            for kind, count in workers.items()
            for number in range(count)
        ]
        try:
            yield
        finally:
            self._ended = True
            await asyncio.gather(*tasks)

    async def close(self) -> None:
        for wire in self._wires:
            wire.close()
        await self.http.aclose()
