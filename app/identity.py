"""Who is calling: cookie, bearer token or Basic, recognised once per request and made the current identity.

Pages look at the cookie only, programs at the `Authorization` header only, so neither can be used to play the other;
the origin of files looks at the address and at neither.  A caller this process knows costs no query; one it
does not know, or any while the notice line is down, costs one.  A credential that is not good makes a visitor; whether
that matters is the guard's to say, and it then says why.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from time import time

from msgspec.structs import replace
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor, set_identity
from app.accounts import sessions
from app.accounts.basic import BasicCache
from app.accounts.sign_in import recognise
from app.errors import NotAuthenticated
from app.ids import now
from app.live.callers import Recogniser
from app.rights.actors import actor_of, keep_made, made_before
from app.rights.facts import CredentialFacts, PersonFacts
from app.rights.memory import Memory
from app.rights.touches import KeyTouches, SessionTouches
from app.tokens import keys
from app.tokens import service as tokens
from app.web.client_address import address_of, client_address
from app.web.context import extension, reading, resources, transaction
from app.web.cookies import session_cookie
from app.web.current import this_request
from app.web.faces import for_programs
from app.web.file_origin import on_file_origin
from app.web.file_proofs import FIELD, session_in
from app.web.guards import OTHER_SCHEME
from app.web.noticing import notice
from app.web.request_id import id_of, request_id

Facts = tuple[CredentialFacts, PersonFacts]
BASIC_PATHS = frozenset({"/protected"})
FILLS = 3  # how often a fetch that was overtaken by a notice is tried again


async def load_actor() -> None:
    """Recognise the caller of this request; runs before every view."""
    asked = this_request()
    caller = Actor(id=None, address=address_of(asked.scope), request_id=id_of(asked.scope))
    set_identity(caller)
    if on_file_origin():
        set_identity(await _by_address(caller))
    elif for_programs(asked.path):
        authorization = asked.headers.get("Authorization")
        if authorization is not None:
            set_identity(await _program(caller, authorization, asked.path))
    elif not asked.path.startswith("/static/"):
        set_identity(await _browser(caller))


async def facts_of(presented: Hashable, look_up: Callable[[AsyncConnection], Awaitable[Facts | None]]) -> Facts | None:
    """What is known of a credential: remembered, or fetched by `look_up` and remembered if nothing ended meanwhile."""
    memory = extension(Memory)
    return memory.recall(presented) or await _fetched(memory, presented, look_up)


async def _fetched(
    memory: Memory, presented: Hashable, look_up: Callable[[AsyncConnection], Awaitable[Facts | None]]
) -> Facts | None:
    known = None
    for _ in range(FILLS):
        with memory.filling() as fill:
            async with reading() as db:
                known = await look_up(db)
            if known is None:
                return None
            credential, person = known
            if fill.good_for(credential.id, person.id):
                memory.keep(fill, presented, credential, person)
                break
    return known


def still_good(facts: Facts) -> bool:
    """Whether a credential is of its person's present epoch and has not run out."""
    credential, person = facts
    if credential.epoch is not None and credential.epoch != person.epoch:
        return False
    return credential.ends_at is None or credential.ends_at > now()


async def _browser(caller: Actor) -> Actor:
    token = session_cookie().token()
    if token is None:
        return caller
    presented = sessions.token_hash(token)
    facts = await facts_of(presented, lambda db: sessions.look_up(db, presented))
    if facts is not None and _idle(facts[0]):
        # Another worker may have seen it since: ask before letting it go.
        extension(Memory).forget(facts[0].id)
        facts = await facts_of(presented, lambda db: sessions.look_up(db, presented))
    if facts is None or not still_good(facts) or _idle(facts[0]):
        return caller
    session, person = facts
    session.last_seen = now()
    extension(SessionTouches).note(session.id, session.last_seen)
    fresh_for = resources().settings.fresh_for
    actor = actor_of(person, caller, auth_type="session", credential=session, fresh_for=fresh_for)
    if session.issued_as == actor.status or await _reissued(actor, session, presented):
        return actor
    return caller


async def _reissued(actor: Actor, session: CredentialFacts, presented: bytes) -> bool:
    """Exchange an id that was given out to somebody with other rights; of several requests with it, one succeeds.

    The others are a visitor's, so a browser that sent them is shown the way in, which it passes with its new cookie.
    """
    async with transaction() as db:
        token = await sessions.reissue(db, actor, presented, before=session.issued_as)
    extension(Memory).forget(session.id)
    if token is not None:
        session_cookie().write(token)
    return token is not None


async def recognise_socket() -> Actor:
    """The caller of the running WebSocket by its cookie, as things stand now; an open page is not a use of a session."""
    caller = Actor(id=None, address=client_address(), request_id=request_id())
    token = session_cookie().token()
    if token is None:
        return caller
    return await _looking_on(caller, sessions.token_hash(token)) or caller


async def _by_address(caller: Actor) -> Actor:
    """The session that the address of a file was given to, as things stand now; without a proof it is a visitor's."""
    asked = this_request()
    given = asked.args.get(FIELD)
    if given is None:
        return caller
    session_id = session_in(resources().secrets.snapshot.rings["session"], given, asked.path, time())
    presented = extension(Memory).presented_as(session_id) if session_id is not None else None
    if session_id is not None and presented is None:
        async with reading() as db:
            presented = await sessions.name_of(db, session_id)
    actor = await _looking_on(caller, presented) if isinstance(presented, bytes) else None
    return actor or replace(caller, refusal="This address was good for some minutes. Open the file anew.")


async def _looking_on(caller: Actor, presented: bytes) -> Actor | None:
    """The person of a session that stands, by no act of theirs: it is not used by this, nor given a new id."""
    facts = await facts_of(presented, lambda db: sessions.look_up(db, presented))
    if facts is None or not still_good(facts) or _idle(facts[0]):
        return None
    actor = actor_of(facts[1], caller, auth_type="session", credential=facts[0])
    # An id given out to somebody with other rights is exchanged by the next page; here nobody can be sent the new one.
    return actor if facts[0].issued_as == actor.status else None


def _idle(session: CredentialFacts) -> bool:
    limit = timedelta(seconds=resources().settings.session_idle)
    return session.last_seen is not None and session.last_seen + limit <= now()


async def _program(caller: Actor, authorization: str, path: str) -> Actor:
    scheme, _, credential = authorization.partition(" ")
    wanted = "basic" if path.rstrip("/") in BASIC_PATHS else "bearer"
    if scheme.lower() == wanted:
        return await (_basic if wanted == "basic" else _bearer)(caller, credential.strip())
    return replace(caller, refusal=OTHER_SCHEME)


async def _key(caller: Actor, key: str) -> Actor:
    """An API key, from a network that both its owner and the site allow."""
    presented = keys.key_hash(key)
    facts = await facts_of(presented, lambda db: keys.look_up(db, presented)) if keys.well_formed(key) else None
    if facts is None:
        notice("forged_token", form="API key")
    if facts is None or not still_good(facts):
        return replace(caller, refusal="The API key is not good or has ended.")
    found, person = facts
    allowed = resources().settings.key_networks
    if not all(keys.may_come_from(networks, caller.address) for networks in (found.networks, allowed)):
        return replace(caller, refusal="The API key may not be used from this address.")
    extension(KeyTouches).note(found.id, now())
    return actor_of(person, caller, auth_type="key", credential=found)


async def _bearer(caller: Actor, token: str) -> Actor:
    if token.startswith(keys.PREFIX):
        return await _key(caller, token)
    signer = extension(tokens.Tokens).signer
    forged = signer.forged
    access = signer.verify(token)
    if signer.forged != forged:
        notice("forged_token", form="access token")
    if access is not None:
        family_id, memory = access.family_id, extension(Memory)
        facts = memory.recall(family_id)
        if facts is None:
            facts = await _fetched(memory, family_id, lambda db: tokens.look_up(db, family_id))
        if facts is not None and still_good(facts) and access.epoch == facts[1].epoch:
            family, person = facts
            known = made_before(access, family, person, caller)
            if known is not None:
                return known
            speaks_for = str(access.person_id) == access.client_id or person.id == access.person_id
            if speaks_for and (family.scopes is None or access.scopes <= family.scopes):
                actor = actor_of(person, caller, auth_type="bearer", credential=family)
                if access.scopes != family.scopes:
                    actor = tokens.narrowed(actor, access.scopes)
                keep_made(access, family, person, actor)
                return actor
    return replace(caller, refusal="The access token is not good or has ended.")


async def _basic(caller: Actor, credential: str) -> Actor:
    """HTTP Basic (RFC 7617), credentials in UTF-8; wrong and undecodable ones are answered the same."""
    try:
        email, colon, password = b64decode(credential, validate=True).decode("utf-8").partition(":")
    except ValueError:
        colon, email, password = "", "", ""
    if not colon:
        return replace(caller, refusal="The credentials cannot be read.")
    presented = extension(BasicCache).name(email, password)
    known = extension(Memory).recall(presented)
    if known is not None and still_good(known):
        return actor_of(known[1], caller, auth_type="basic", credential=known[0])
    try:
        with extension(Memory).filling() as fill:
            actor, person = await recognise(resources(), caller, email, password, via="basic")
            extension(Memory).keep(fill, presented, extension(BasicCache).facts(person), person)
    except NotAuthenticated as error:
        return replace(caller, refusal=error.detail)
    return actor


def install(app: Quart) -> None:
    """Recognise callers before anything else looks at a request."""
    app.before_request(load_actor)
    app.extensions[Recogniser.__name__] = Recogniser(recognise_socket)
