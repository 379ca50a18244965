"""Clients: registered by their owners, proved by a secret, ended with all that was granted to them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import ADMIN, SCOPES, Actor
from app.audit import service as audit
from app.errors import Invalid, NotFound
from app.ids import new_id, now
from app.oauth import queries
from app.oauth.models import OAuthClient
from app.oauth.schemas import ClientView, NewClient
from app.tokens import service as tokens

LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
SECRET_PREFIX: Final = "scr_cs_"


async def register(db: AsyncSession, actor: Actor, new: NewClient) -> tuple[ClientView, str | None]:
    """Make a client for the actor; returns what may be shown and the secret, this once.  Raises Invalid."""
    wrong = [uri for uri in new.redirect_uris if not acceptable_redirect(uri)]
    if wrong:
        rule = "must be https, a loopback address, or an app's own scheme, without a fragment."
        raise Invalid({"redirect_uris": [f"{uri} {rule}" for uri in wrong]})
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
    """A live client by the id it gives; None for anything else."""
    try:
        identity = UUID(client_id)
    except ValueError:
        return None
    found: OAuthClient | None = await db.scalar(queries.client(identity))
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


def proves(client: OAuthClient, secret: str | None) -> bool:
    """Whether a client is who it says: a confidential one by its secret, a public one by having none."""
    if client.secret_hash is None:
        return not secret
    return secret is not None and hmac.compare_digest(client.secret_hash, _hash(secret))


def acceptable_redirect(uri: str) -> bool:
    """Whether codes may be sent there: https anywhere, http to this very machine, or an app's own scheme with a dot in
    it (RFC 8252 7.1), never with a fragment, user name or control character (RFC 9700 2.1)."""
    if not uri.isascii() or not uri.isprintable() or "#" in uri or "\\" in uri or " " in uri or "*" in uri:
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.netloc.rpartition(":")[0] in LOOPBACK or parts.netloc in LOOPBACK
    return "." in parts.scheme and parts.scheme.replace(".", "").replace("-", "").isalnum()


def registered(uri: str, known: Sequence[str]) -> bool:
    """Exact string comparison; only the port of a loopback address may differ (RFC 8252 7.3)."""
    return uri in known or any(_same_loopback(uri, other) for other in known)


def _same_loopback(uri: str, other: str) -> bool:
    try:
        one, two = urlsplit(uri), urlsplit(other)
        ports = (one.port, two.port)
    except ValueError:
        return False
    numeric = {"127.0.0.1", "::1"}
    same = (one.scheme, one.hostname, one.path, one.query) == (two.scheme, two.hostname, two.path, two.query)
    plain = "@" not in uri and "#" not in uri and 0 not in ports
    return same and plain and one.scheme == "http" and one.hostname in numeric


def view(client: OAuthClient) -> ClientView:
    """A client as it is shown."""
    kind: Literal["confidential", "public"] = "public" if client.secret_hash is None else "confidential"
    return ClientView(
        client.id, client.name, kind, client.redirect_uris, client.scopes, client.owner_id, client.created_at
    )


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
