"""JSON routes for programs: signing in for tokens, refreshing and revoking them, and the sample endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from quart import Blueprint, Response, request
from quart_rate_limiter import rate_limit

from app.accounts.sign_in import recognise
from app.errors import DomainError, Invalid, NotActive
from app.tokens import keys, passwords, service
from app.tokens.schemas import KeyList, MadeKey, NewKey, NewPassword, Refresh, Revoke, SignIn, TokenPair
from app.tokens.service import Tokens
from app.web.answers import answer, no_content
from app.web.budgets import expensive
from app.web.context import current_actor, extension, reading, resources, settings, transaction
from app.web.guards import public, requires
from app.web.headers import response_headers
from app.web.limits import named_limit
from app.web.openapi import describe
from app.web.paging import PageQuery, page_of
from app.web.parsing import json_body, query_args

blueprint = Blueprint("tokens_api", __name__)
roots = Blueprint("tokens_roots", __name__)
EXAMPLE = {"person": {"email": "ada@example.org", "password": "the words only she would choose"}}


class Message(msgspec.Struct, frozen=True):
    """A sentence."""

    message: str


class Greeting(msgspec.Struct, frozen=True):
    """A sentence for somebody we know."""

    message: str
    id: str
    display_name: str
    roles: list[str]


class KeySet(msgspec.Struct, frozen=True):
    """The public keys access tokens are signed with (RFC 7517), the coming one included."""

    keys: list[dict[str, Any]]


async def sign_in() -> Response:
    """Sign a person in for a program; pending, declined and suspended people get 403."""
    asked = await json_body(SignIn)
    email = asked.email if asked.email is not None else asked.username
    if email is None:
        raise Invalid({"email": ["This is needed."]})
    actor, _ = await recognise(resources(), current_actor(), email, asked.password, via="password")
    if not actor.active:
        raise NotActive(actor.status)
    async with transaction() as db:
        granted = await service.grant(db, extension(Tokens), actor, device=request.headers.get("User-Agent", ""))
    return answer(granted.pair)


@blueprint.post("/login")
@describe(
    "Sign in", tag="tokens", body=SignIn, answers={200: TokenPair}, errors=(401, 403), examples=EXAMPLE, secret=True
)
@public
@expensive("hash", at_once=40, line=400, patience=15.0)
async def login() -> Response:
    return await sign_in()


@blueprint.post("/v1/auth/token")
@describe(
    "Sign in", tag="tokens", body=SignIn, answers={200: TokenPair}, errors=(401, 403), examples=EXAMPLE, secret=True
)
@public
@expensive("hash", at_once=40, line=400, patience=15.0)
async def token() -> Response:
    return await sign_in()


@blueprint.post("/v1/auth/refresh")
@describe(
    "Exchange a refresh token",
    tag="tokens",
    body=Refresh,
    answers={200: TokenPair},
    errors=(401,),
    examples={"refresh": {"refresh_token": "scr_rt_..."}},
    secret=True,
)
@rate_limit(limits=[named_limit("TOKEN")])
@public
async def refresh() -> Response:
    asked = await json_body(Refresh)
    async with transaction() as db:
        outcome = await service.exchange(db, extension(Tokens), current_actor(), asked.refresh_token)
    if isinstance(outcome, DomainError):
        raise outcome
    return answer(outcome)


@blueprint.post("/v1/auth/revoke")
@describe(
    "Revoke a token and its family",
    tag="tokens",
    body=Revoke,
    answers={204: None},
    examples={"refresh token": {"token": "scr_rt_..."}},
)
@rate_limit(limits=[named_limit("TOKEN")])
@public
async def revoke() -> Response:
    asked = await json_body(Revoke)
    async with transaction() as db:
        await service.revoke(db, extension(Tokens), current_actor(), asked.token)
    return no_content()


@blueprint.get("/unsecure")
@describe("The open sample endpoint", tag="samples", answers={200: Message})
@public
async def unsecure() -> Response:
    return answer(Message("Everybody may read this."))


@blueprint.get("/secure")
@describe("The secured sample endpoint", tag="samples", answers={200: Greeting})
@requires()
async def secure() -> Response:
    return _greeting("You are signed in.")


@roots.get("/protected")
@describe("The sample endpoint behind HTTP Basic", tag="samples", answers={200: Greeting})
@requires(challenge='Basic realm="Scriptorium", charset="UTF-8"')
async def protected() -> Response:
    return _greeting("You gave the right password.")


@roots.get("/protected_data")
@describe("The sample endpoint that needs a scope", tag="samples", answers={200: Greeting})
@requires(scope="protected:read")
async def protected_data() -> Response:
    return _greeting("Your token carries the scope.")


@roots.get("/.well-known/jwks.json")
@describe("The public keys of access tokens", tag="discovery", answers={200: KeySet})
# Shorter than the time a coming key is published before its first use, so no cache misses it.
@response_headers(cache_control="public, max-age=15")
@public
async def jwks() -> Response:
    keys = extension(Tokens).signer.public_keys()
    return answer(KeySet([dict(key) for key in keys]))


def _greeting(message: str) -> Response:
    actor = current_actor()
    return answer(Greeting(message, str(actor.id), actor.display_name, sorted(actor.roles)))


@blueprint.get("/v1/me/keys")
@describe("My API keys", tag="keys", query=PageQuery, answers={200: KeyList})
@requires(scope="profile:read")
async def list_keys() -> Response:
    query = query_args(PageQuery)
    async with reading() as db:
        found = await keys.keys_of(db, current_actor())
    return answer(KeyList(*page_of(found, query, lambda key: (key.created_at, key.id))))


@blueprint.post("/v1/me/keys")
@describe(
    "Make an API key",
    tag="keys",
    body=NewKey,
    answers={201: MadeKey},
    errors=(409,),
    examples={"reader": {"name": "Nightly export", "scopes": ["entries:read"]}},
    secret=True,
)
@requires(scope="profile:write")
async def create_key() -> Response:
    new = await json_body(NewKey)
    async with transaction() as db:
        view, key = await keys.create(db, current_actor(), settings(), new)
    # No Idempotency-Key here: an answer that holds a key must not be kept anywhere.
    return answer(MadeKey(**msgspec.structs.asdict(view), key=key), 201)


@blueprint.delete("/v1/me/keys/<uuid:key_id>")
@describe("Revoke an API key", tag="keys", answers={204: None}, errors=(404,))
@requires(scope="profile:write")
async def revoke_key(key_id: UUID) -> Response:
    async with transaction() as db:
        await keys.revoke(db, current_actor(), key_id)
    return no_content()


@blueprint.put("/v1/me/password")
@describe(
    "Change my password; other sessions and sign-ins with the old one end",
    tag="account",
    body=NewPassword,
    answers={204: None},
    examples={
        "person": {"current_password": "the words only she would choose", "password": "some other words of hers"}
    },
)
@requires(scope="profile:write")
async def change_password() -> Response:
    asked, actor = await json_body(NewPassword), current_actor()
    password_hash = await passwords.hash_for(resources(), actor, asked)
    async with transaction() as db:
        await passwords.change(db, actor, password_hash)
    return no_content()
