"""Who is calling: cookie, bearer token or Basic, recognised once per request and made the current identity.

Pages look at the cookie only, programs at the `Authorization` header only, so neither can be used to play the other
(SPEC 1.2).  A credential that is not good makes a visitor; whether that matters is the guard's to say, and it then
says why.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

from quart import Quart, request

from app.access import VISITOR, Actor, set_identity
from app.accounts import sessions
from app.accounts.sign_in import recognise
from app.errors import DomainError
from app.tokens import service as tokens
from app.web.client_address import client_address
from app.web.context import extension, reading, resources
from app.web.cookies import session_cookie
from app.web.faces import for_programs
from app.web.request_id import request_id

BASIC_PATHS = frozenset({"/protected"})


async def load_actor() -> None:
    """Recognise the caller of this request; runs before every view."""
    caller = replace(VISITOR, address=client_address(), request_id=request_id())
    set_identity(caller)
    if for_programs(request.path):
        set_identity(await _program(caller))
    elif not request.path.startswith("/static/"):
        set_identity(await _browser(caller))


async def _browser(caller: Actor) -> Actor:
    token = session_cookie().token()
    if token is None:
        return caller
    async with reading() as db:
        found = await sessions.find(db, resources().settings, token)
    return caller if found is None else _placed(found, caller)


async def _program(caller: Actor) -> Actor:
    header = request.headers.get("Authorization")
    if not header:
        return caller
    scheme, _, credential = header.partition(" ")
    if scheme.lower() == "bearer":
        return await _bearer(caller, credential.strip())
    if scheme.lower() == "basic" and request.path in BASIC_PATHS:
        return await _basic(caller, credential.strip())
    return replace(caller, refusal="This kind of authorization is not taken here.")


async def _bearer(caller: Actor, token: str) -> Actor:
    access = extension(tokens.Tokens).signer.verify(token)
    if access is not None:
        async with reading() as db:
            found = await tokens.find(db, access)
        if found is not None:
            return _placed(found, caller)
    return replace(caller, refusal="The access token is not good or has ended.")


async def _basic(caller: Actor, credential: str) -> Actor:
    """HTTP Basic (RFC 7617), credentials in UTF-8; wrong and undecodable ones are answered the same."""
    try:
        email, colon, password = b64decode(credential, validate=True).decode("utf-8").partition(":")
    except ValueError:
        colon, email, password = "", "", ""
    if not colon:
        return replace(caller, refusal="The credentials cannot be read.")
    try:
        return await recognise(resources(), caller, email, password, via="basic")
    except DomainError as error:
        if error.status != 401:
            raise
        return replace(caller, refusal=error.detail)


def _placed(found: Actor, caller: Actor) -> Actor:
    return replace(found, address=caller.address, request_id=caller.request_id)


def install(app: Quart) -> None:
    """Recognise callers before anything else looks at a request."""
    app.before_request(load_actor)
