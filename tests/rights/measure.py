"""Measures how long "out" takes: callers keep asking on many connections while an administrator ends their rights."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.e2e.forms import sign_in
from tests.e2e.house import House
from tests.e2e.people import Person, Programs, Secrets
from tests.networked import calling

CALLERS = 4  # connections per victim; accepted by whichever worker is free


@dataclass
class Seen:
    """One request of a victim: when it began and what it was answered."""

    began: float
    status: int


@dataclass
class Ended:
    """What happened around one act that ends rights."""

    committed: float
    seen: list[Seen] = field(default_factory=list)

    @property
    def latest_accepted(self) -> float:
        """Seconds from the commit to the beginning of the last request that was let in; negative if none was."""
        accepted = [one.began for one in self.seen if 200 <= one.status < 300]
        return max(accepted) - self.committed if accepted else -1.0

    @property
    def broken(self) -> list[int]:
        """Answers that are neither "in" nor "out"."""
        return [one.status for one in self.seen if one.status >= 500]


@dataclass
class Victim:
    """Somebody whose rights will end, with what they call with."""

    person_id: str
    headers: dict[str, str]
    path: str


class Experiment:
    """An administrator and victims in one house."""

    def __init__(self, house: House, rate: int) -> None:
        """`rate` is how many requests a second a victim makes, on all connections together."""
        self.house = house
        self._pause = CALLERS / rate
        self.client = calling(house.url)
        self._admin: dict[str, str] = {}

    async def open(self) -> None:
        """Make the administrator who will end rights."""
        programs = Programs(self.house, Secrets())
        ruler = await asyncio.to_thread(programs.make_admin)
        await programs.http.aclose()
        answer = await self.client.post("/api/login", json={"email": ruler.email, "password": ruler.password})
        answer.raise_for_status()
        self._admin = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def victim(self, number: int) -> Victim:
        """A new member; even ones come with a cookie, odd ones with a token."""
        who = Person("member", f"Victim {number}")
        person = {"email": who.email, "display_name": who.display_name, "password": who.password, "role": who.role}
        (await self.client.post("/api/v1/people", json=person)).raise_for_status()
        answer = await self.client.post("/api/login", json={"email": who.email, "password": who.password})
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        person_id = (await self.client.get("/api/v1/me", headers=bearer)).json()["id"]
        if number % 2:
            return Victim(person_id, bearer, "/api/v1/me")
        async with calling(self.house.url) as browser:
            await sign_in(browser, who, Secrets())
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return Victim(person_id, {"Cookie": cookie}, "/account/sessions")

    async def end(
        self, victim: Victim, *, act: str = "suspend", cut: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> Ended:
        """End a victim's rights in the middle of their requests; `cut` is done at the same moment."""
        seen: list[Seen] = []
        going, let_in = asyncio.Event(), asyncio.Event()
        callers = [asyncio.create_task(self._call(victim, seen, going, let_in)) for _ in range(CALLERS)]
        async with asyncio.timeout(20):
            await let_in.wait()
        await asyncio.sleep(0.25)
        cutting = asyncio.create_task(cut()) if cut else None
        committed = await self._act(victim, act)
        await asyncio.sleep(1.3 if cut is None else 1.8)  # a second later nobody may be let in, so somebody must ask
        going.set()
        await asyncio.gather(*callers)
        if cutting is not None:
            await cutting
        assert any(200 <= one.status < 300 for one in seen), "nobody was let in before, so nothing was measured"
        return Ended(committed, seen)

    async def _act(self, victim: Victim, act: str) -> float:
        if act == "demote":
            body: dict[str, Any] = {"roles": ["editor"], "reason": "measured"}
            answer = await self.client.put(
                f"/api/v1/admin/people/{victim.person_id}/roles", json=body, headers=self._admin
            )
        else:
            asked = time.time()
            path = f"/api/v1/admin/people/{victim.person_id}/{act}"
            answer = await self.client.post(path, json={"reason": "measured"}, headers=self._admin)
        assert answer.status_code == 200, answer.text
        if act == "end-sessions":
            return asked  # their status stays, so no moment is noted; this one lies before the commit as well
        # The moment noted in the transaction lies before its commit, so what is measured is never too little.
        changed = answer.json()["history"][0]["at"]
        return datetime.fromisoformat(changed).timestamp()

    async def _call(self, victim: Victim, seen: list[Seen], enough: asyncio.Event, let_in: asyncio.Event) -> None:
        async with calling(self.house.url) as client:
            while not enough.is_set():
                began = time.time()
                answer = await client.get(victim.path, headers=victim.headers)
                seen.append(Seen(began, answer.status_code))
                if answer.is_success:
                    let_in.set()
                await asyncio.sleep(max(0.0, self._pause - (time.time() - began)))

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
