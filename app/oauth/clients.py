"""Clients: registered by their owners, proved by a secret, ended with all that was granted to them."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import ADMIN, SCOPES, Actor
from app.audit import service as audit
from app.errors import Conflict, Invalid, NotFound
from app.ids import new_id, now
from app.oauth import queries
from app.oauth.models import OAuthClient
from app.oauth.schemas import ClientView, ConnectedApplication, NewClient
from app.tokens import service as tokens

SECRET_PREFIX: Final = "scr_cs_"  # noqa: S105 - how a secret begins
MOST: Final = 50
LAST_PORT: Final = 65535
# What a client may know of a person; these let it do nothing.
ABOUT_PEOPLE: Final = frozenset({"openid", "email", "profile"})

# Hosts and paths without what RFC 3986 allows but a policy header, HTML or a log line could misread.
_REST = r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ACCEPTABLE: Final = (
    re.compile(rf"https://(?:{_HOST}|\[[0-9a-fA-F:.]+\]){_REST}"),
    re.compile(rf"http://(?:127\.0\.0\.1|\[::1\]|localhost){_REST}"),
    re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*"),
)
_NUMERIC_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?((?:/.*)?)", re.DOTALL)


async def register(db: AsyncSession, actor: Actor, new: NewClient) -> tuple[ClientView, str | None]:
    """Make a client for the actor; returns what may be shown and the secret, this once.

    Raises Invalid for addresses codes must not go to and scopes the caller does not have, Conflict for too many.
    """
    wrong = [uri for uri in new.redirect_uris if not acceptable_redirect(uri)]
    if wrong:
        rule = "must be https, a loopback address, or an app's own scheme, without a fragment."
        raise Invalid({"redirect_uris": [f"{uri} {rule}" for uri in wrong]})
    # A client may act for its owner (client credentials), so a narrow token must not beget a wide one.
    if actor.scopes is not None and not set(new.scopes) - ABOUT_PEOPLE <= actor.scopes:
        raise Invalid({"scopes": ["The credential you are using does not carry all of these."]})
    if new.kind == "public" and not new.redirect_uris:
        raise Invalid({"redirect_uris": ["A public client needs an address to be answered at."]})
    if (await db.scalar(queries.count_clients(actor.person_id())) or 0) >= MOST:
        raise Conflict(f"You have {MOST} clients already. End one first.", code="too_many_clients")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32) if new.kind == "confidential" else None
    client = OAuthClient(
        id=new_id(),
        name=new.name,
        owner_id=actor.person_id(),
        secret_hash=_hash(secret) if secret else None,
        redirect_uris=list(dict.fromkeys(new.redirect_uris)),
        scopes=[name for name in SCOPES if name in new.scopes],
        created_at=now(),
    )
    db.add(client)
    await db.flush()
    details = {"name": new.name, "kind": new.kind, "scopes": client.scopes}
    await audit.record(db, actor, "client.registered", ("oauth_client", client.id), details)
    return view(client), secret


async def clients(db: AsyncSession, actor: Actor, *, everybody: bool = False) -> list[ClientView]:
    """The actor's clients, or everybody's for an administrator who asks for them."""
    owner = None if everybody and ADMIN in actor.roles else actor.person_id()
    return [view(client) for client in (await db.scalars(queries.clients(owner_id=owner))).all()]


async def end(db: AsyncSession, actor: Actor, client_id: UUID) -> None:
    """End a client of the actor's, or any for an administrator: its tokens no longer pass the checks at once."""
    owner = None if ADMIN in actor.roles else actor.person_id()
    if await db.scalar(queries.end_client(client_id, owner, now())) is None:
        raise NotFound
    families = await tokens.end_client_everywhere(db, str(client_id))
    await audit.record(db, actor, "client.ended", ("oauth_client", client_id), {"families": families})


async def find(db: AsyncSession, client_id: str) -> OAuthClient | None:
    """A live client by the id it gives; None for anything else.

    A client is no better than whoever answers for it: while its owner is barred it is not served either.
    """
    try:
        identity = UUID(client_id)
    except ValueError:
        return None
    found: OAuthClient | None = await db.scalar(queries.client(identity, now()))
    return found


async def names(db: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """The names of those ids that are clients."""
    wanted: list[UUID] = []
    for identity in ids:
        with suppress(ValueError):
            wanted.append(UUID(identity))
    if not wanted:
        return {}
    return {str(row.id): row.name for row in (await db.execute(queries.names(wanted))).all()}


async def connected(db: AsyncConnection, actor: Actor) -> list[ConnectedApplication]:
    """The actor's connected programs, one line per client; sign-ins with the password are not among them."""
    grants = await tokens.grants_of(db, actor)
    known = await names(db, [grant.client_id for grant in grants])
    found: dict[str, ConnectedApplication] = {}
    for grant in grants:
        if grant.client_id in known:
            before = found.get(grant.client_id)
            scopes = sorted({*grant.scopes, *(before.scopes if before else ())})
            found[grant.client_id] = ConnectedApplication(
                grant.client_id, known[grant.client_id], scopes, grant.created_at
            )
    return list(found.values())


def proves(client: OAuthClient, secret: str | None) -> bool:
    """Whether a client is who it says: a confidential one by its secret, a public one by having none."""
    if client.secret_hash is None:
        return not secret
    return secret is not None and hmac.compare_digest(client.secret_hash, _hash(secret))


def acceptable_redirect(uri: str) -> bool:
    """Whether codes may be sent there: https anywhere, http to this very machine, or an app's own scheme with a dot in
    it (RFC 8252 7.1), never with a fragment, user name, wildcard host or control character (RFC 9700 2.1)."""
    return any(shape.fullmatch(uri) for shape in _ACCEPTABLE) and _port_of(uri) <= LAST_PORT


def registered(uri: str, known: Sequence[str]) -> bool:
    """Exact string comparison (RFC 9700 4.1.3); only a numeric loopback address may change its port (RFC 8252 7.3)."""
    return uri in known or any(_same_loopback(uri, other) for other in known)


def _same_loopback(uri: str, other: str) -> bool:
    one, two = _NUMERIC_LOOPBACK.fullmatch(uri), _NUMERIC_LOOPBACK.fullmatch(other)
    if one is None or two is None or not 0 < int(one[2] or 80) <= LAST_PORT:
        return False
    return (one[1], one[3]) == (two[1], two[3])


def _port_of(uri: str) -> int:
    found = re.match(r"[a-z]+://[^/]*:([0-9]+)(?:/|$)", uri)
    return int(found[1]) if found else 0


def view(client: OAuthClient) -> ClientView:
    """A client as it is shown."""
    kind: Literal["confidential", "public"] = "public" if client.secret_hash is None else "confidential"
    return ClientView(
        client.id, client.name, kind, client.redirect_uris, client.scopes, client.owner_id, client.created_at
    )


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
