"""Whatever somebody comes with, it opens nothing a second after they were suspended, demoted, or it was revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import httpx
import pytest

from tests import makers
from tests.cast import Person
from tests.oauth.flow import client_of, tokens_for
from tests.site import Site

SECOND = 1.0
SCOPES = ["profile:read", "documents:read"]


@dataclass
class Credential:
    """Something to come in with: how it asks for what the role of a sponsor gives, and how its owner takes it back."""

    ask: Callable[[], Awaitable[httpx.Response]]
    revoke: Callable[[], Awaitable[httpx.Response]] | None

    async def opens(self) -> bool:
        """Whether it gets what a sponsor gets; HTTP Basic has only one door, which says as whom one came."""
        answer = await self.ask()
        return answer.status_code == 200 and (
            not answer.request.url.path.startswith("/protected") or "sponsor" in answer.json()["roles"]
        )


async def session(person: Person) -> Credential:
    (mine,) = (await person.program.get("/api/v1/me/sessions")).json()["items"]
    return Credential(
        lambda: person.browser.get("/sponsor/dashboard"),
        lambda: person.program.delete(f"/api/v1/me/sessions/{mine['id']}"),
    )


async def access_token(person: Person) -> Credential:
    return Credential(
        lambda: person.program.get("/api/v1/documents"),
        lambda: person.program.post("/api/v1/auth/revoke", {"token": person.program.token}),
    )


async def grant(person: Person) -> Credential:
    client = await client_of(await makers.signed_in(person.site), scopes=SCOPES)
    token = (await tokens_for(client, person, scope=" ".join(SCOPES)))["access_token"]
    return Credential(
        lambda: client.program.call("GET", "/api/v1/documents", token=token),
        lambda: client.program.http.post("/oauth/revoke", data={"token": token}, auth=client.auth),
    )


async def key(person: Person) -> Credential:
    made = (await person.program.post("/api/v1/me/keys", {"name": "K", "scopes": SCOPES})).json()
    caller = person.site.program()
    return Credential(
        lambda: caller.call("GET", "/api/v1/documents", token=made["key"]),
        lambda: person.program.delete(f"/api/v1/me/keys/{made['id']}"),
    )


async def basic(person: Person) -> Credential:
    caller = person.site.program()
    pair = httpx.BasicAuth(person.email, person.password)
    return Credential(lambda: caller.http.get("/protected", auth=pair), None)


KINDS = (session, access_token, grant, key, basic)
# A password is not revoked but changed.
CASES = [(kind, act) for kind in KINDS for act in ("suspend", "demote", "revoke") if (kind, act) != (basic, "revoke")]


@pytest.mark.parametrize(("kind", "act"), CASES, ids=lambda part: getattr(part, "__name__", part))
async def test_it_opens_nothing_a_second_later(
    site: Site, ada: Person, kind: Callable[[Person], Awaitable[Credential]], act: str
) -> None:
    person = await makers.signed_in(site, "member", "sponsor")
    credential = await kind(person)
    assert await credential.opens()
    url = f"/api/v1/admin/people/{person.id}"
    if act == "suspend":
        answer = await ada.program.post(f"{url}/suspend", {"reason": "for the test"})
    elif act == "demote":
        answer = await ada.program.put(f"{url}/roles", {"roles": ["member"], "reason": "for the test"})
    else:
        assert credential.revoke is not None
        answer = await credential.revoke()
    assert answer.is_success, answer.text
    committed = began = monotonic()  # a little later than that, and so is the beginning of what is asked next
    while await credential.opens():
        assert began - committed < SECOND
        await asyncio.sleep(0.01)
        began = monotonic()
