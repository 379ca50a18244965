"""Plays both sides of OAuth: the client that asks, and the person in a browser who agrees."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from app.web.parsing import FORM_TOKEN
from tests.cast import Person
from tests.client import Browser, Program

CALLBACK = "http://127.0.0.1:9999/cb"
EVERYTHING = ["openid", "email", "profile", "profile:read", "entries:read"]


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Client:
    """A registered client."""

    program: Program
    id: str
    secret: str | None
    uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def asks(self, **changes: str | None) -> dict[str, str]:
        """An authorization request; a change to None leaves the parameter out."""
        asked: dict[str, str | None] = {
            "client_id": self.id,
            "redirect_uri": self.uri,
            "response_type": "code",
            "scope": " ".join(EVERYTHING),
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changes).items() if value is not None}

    async def token(self, **form: str) -> httpx.Response:
        """A token request, by HTTP Basic when there is a secret."""
        if self.secret is None:
            form = {"client_id": self.id, **form}
        return await self.program.http.post("/oauth/token", data=form, auth=self.auth)

    async def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {"code": code, "redirect_uri": self.uri, "code_verifier": self.verifier} | changes
        return await self.token(grant_type="authorization_code", **form)

    async def refresh(self, token: str, **form: str) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token, **form)

    async def about(self, token: str) -> dict[str, Any]:
        """What introspection says."""
        answer = await self.program.http.post("/oauth/introspect", data={"token": token}, auth=self.auth)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    @property
    def auth(self) -> httpx.Auth:
        """How it proves who it is; a public client proves nothing."""
        return httpx.BasicAuth(self.id, self.secret) if self.secret else httpx.Auth()


async def client_of(owner: Person, **changes: Any) -> Client:
    """A client registered by this person."""
    wanted = {"name": "Reading list", "redirect_uris": [CALLBACK], "scopes": EVERYTHING} | changes
    answer = await owner.program.post("/api/v1/me/clients", wanted)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    program = owner.site.program()
    uri = made["redirect_uris"][0] if made["redirect_uris"] else CALLBACK
    return Client(program, made["client_id"], made["client_secret"], uri)


async def decide(browser: Browser, asked: dict[str, str], decision: str = "agree") -> httpx.Response:
    """Open the consent page and press a button of it."""
    shown = await browser.http.get("/oauth/authorize", params=asked)
    assert shown.status_code == 200, (shown.status_code, shown.headers, shown.text[:300])
    form = {FORM_TOKEN: await browser.token(), "decision": decision} | asked
    return await browser.send("/oauth/authorize", form)


def parameters(answer: httpx.Response) -> dict[str, str]:
    """What the browser is sent back to the client with."""
    assert answer.status_code == 303, (answer.status_code, answer.text[:300])
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def code_for(client: Client, person: Person, **changes: str | None) -> str:
    """A code this person agreed to."""
    return parameters(await decide(person.browser, client.asks(**changes)))["code"]


async def tokens_for(client: Client, person: Person, **changes: str | None) -> dict[str, Any]:
    """A token set this person agreed to."""
    answer = await client.redeem(await code_for(client, person, **changes))
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made
