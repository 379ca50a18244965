"""Authorizing: what a client may ask of a person, the code that carries the consent, and the tokens it is redeemed for.

A code is good once, for 60 seconds, for the client, redirect address and PKCE challenge it was made for.  A second use
ends everything the first one got (RFC 6749 4.1.2, RFC 9700 4.5).
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import VISITOR, Actor
from app.accounts import service as accounts
from app.audit import service as audit
from app.errors import NotAuthenticated
from app.ids import now
from app.oauth import clients, queries
from app.oauth.errors import OAuthError, invalid_grant, invalid_request, invalid_scope
from app.oauth.models import AuthorizationCode, OAuthClient
from app.tokens import service as tokens
from app.tokens.schemas import TokenPair
from app.tokens.service import Tokens

CODE_LIFE: Final = timedelta(seconds=60)
LONGEST: Final = 1000  # characters of a state or nonce
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class BadRequest(OAuthError):
    """The request must not be answered by a redirect: the client or the address to go to is not to be trusted."""


@dataclass(frozen=True)
class Redirected(Exception):
    """The request is refused, and the client is told so through the browser."""

    redirect_uri: str
    error: str
    description: str
    state: str | None


@dataclass(frozen=True)
class Asked:
    """A well-formed authorization request."""

    client: OAuthClient
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    state: str | None
    nonce: str | None
    max_age: int | None = None
    """How many seconds ago the person may have proved who they are; None when any sign-in will do."""


@dataclass(frozen=True)
class Redeemed:
    """Tokens for a client, with an ID token when `openid` was agreed to."""

    pair: TokenPair
    id_token: str | None


async def read_request(db: AsyncSession, actor: Actor, args: Mapping[str, str]) -> Asked:
    """Check an authorization request; raises BadRequest, or Redirected for what the client may be told."""
    client = await clients.find(db, args.get("client_id", ""))
    redirect_uri = args.get("redirect_uri", "")
    if client is None:
        raise BadRequest("invalid_client", "No such application is registered here.")
    if not clients.registered(redirect_uri, client.redirect_uris):
        raise BadRequest("invalid_request", "The application asked to be answered at an address it has not registered.")
    state = args.get("state")

    def refuse(error: str, description: str) -> Redirected:
        return Redirected(redirect_uri, error, description, state)

    if args.get("response_type") != "code":
        raise refuse("unsupported_response_type", "Only the code flow is offered.")
    if "request" in args or "request_uri" in args:
        raise refuse("request_not_supported", "Request objects are not taken.")
    if args.get("response_mode", "query") != "query":
        raise refuse("invalid_request", "Answers go into the query only.")
    if args.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(args.get("code_challenge", "")):
        raise refuse("invalid_request", "PKCE with S256 is required.")
    scopes = tuple(dict.fromkeys(args["scope"].split())) if args.get("scope") else tuple(client.scopes)
    if not scopes or not set(scopes) <= set(client.scopes):
        raise refuse("invalid_scope", "The application may not ask for all of this.")
    if any(len(args.get(name, "")) > LONGEST for name in ("state", "nonce")):
        raise refuse("invalid_request", "state or nonce is too long.")
    oldest = _oldest_proof(actor, args, refuse)
    return Asked(client, redirect_uri, scopes, args["code_challenge"], state, args.get("nonce"), oldest)


def _oldest_proof(actor: Actor, args: Mapping[str, str], refuse: Callable[[str, str], Redirected]) -> int | None:
    """How long ago the person may have signed in (OpenID Connect Core 3.1.2.1: `prompt`, `max_age`)."""
    prompts = set(args.get("prompt", "").split())
    if "none" in prompts:
        # Nobody is waved through: consent is asked for each time (RFC 9700 2.1, OpenID Connect Core 3.1.2.6).
        code = "invalid_request" if len(prompts) > 1 else "consent_required" if actor.signed_in else "login_required"
        raise refuse(code, "People are asked each time.")
    max_age = args.get("max_age", "")
    if max_age and not re.fullmatch("[0-9]{1,9}", max_age):
        raise refuse("invalid_request", "max_age is a number of seconds.")
    return 0 if "login" in prompts else int(max_age) if max_age else None


async def agree(db: AsyncSession, actor: Actor, asked: Asked, proved_at: datetime) -> str:
    """Note a person's consent; returns the code for the client.  `proved_at` is when they last proved who they are."""
    code, moment = secrets.token_urlsafe(32), now()
    await db.execute(queries.forget_codes(moment - timedelta(days=1)))
    db.add(
        AuthorizationCode(
            code_hash=_hash(code),
            client_id=asked.client.id,
            person_id=actor.person_id(),
            epoch=actor.epoch,
            redirect_uri=asked.redirect_uri,
            scopes=list(asked.scopes),
            challenge=asked.challenge,
            nonce=asked.nonce,
            auth_time=proved_at,
            expires_at=moment + CODE_LIFE,
        )
    )
    await db.flush()
    details = {"scopes": list(asked.scopes), "client": asked.client.name}
    await audit.record(db, actor, "grant.agreed", ("oauth_client", asked.client.id), details)
    return code


async def redeem_code(
    db: AsyncSession, kit: Tokens, caller: Actor, client: OAuthClient, args: Mapping[str, str]
) -> Redeemed | OAuthError:
    """Exchange a code for tokens.  Returns, not raises, a refusal: what a replayed code ended must be committed."""
    code, verifier = args.get("code", ""), args.get("code_verifier", "")
    if not code or not verifier:
        return invalid_request("code and code_verifier are needed.")
    moment, hashed = now(), _hash(code)
    row = await db.scalar(queries.redeem(hashed, moment))
    if row is None:
        await _replayed(db, caller, hashed)
        return invalid_grant()
    if row.client_id != client.id or row.expires_at <= moment or row.redirect_uri != args.get("redirect_uri"):
        return invalid_grant()
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(_challenge(verifier), row.challenge):
        return invalid_grant("The code_verifier does not belong to the code_challenge.")
    actor = await _person(db, caller, row)
    if actor is None:
        return invalid_grant()
    granted = await tokens.grant(
        db, kit, actor, device=client.name, scopes=frozenset(row.scopes), client_id=str(client.id)
    )
    await db.execute(queries.remember_family(hashed, granted.family_id))
    id_token = await _id_token(kit, actor, client, row, granted.pair) if "openid" in row.scopes else None
    return Redeemed(granted.pair, id_token)


async def refresh(
    db: AsyncSession, kit: Tokens, caller: Actor, client: OAuthClient, args: Mapping[str, str]
) -> Redeemed | OAuthError:
    """Exchange a refresh token of this client; returns the refusal, as `redeem_code` does.

    `scope` may ask for fewer scopes for this access token; what was agreed to stays (RFC 6749 6).
    """
    token = args.get("refresh_token", "")
    if not token:
        return invalid_request("refresh_token is needed.")
    wanted = frozenset(args.get("scope", "").split())
    outcome = await tokens.exchange(db, kit, caller, token, client_id=str(client.id), scopes=wanted or None)
    if isinstance(outcome, NotAuthenticated):
        return invalid_grant()
    if not wanted <= set(outcome.scope.split()):
        raise invalid_scope()  # raised, so that the token is not used up
    return Redeemed(outcome, None)


async def for_itself(
    db: AsyncSession, kit: Tokens, caller: Actor, client: OAuthClient, args: Mapping[str, str]
) -> Redeemed | OAuthError:
    """Client credentials (RFC 6749 4.4): a confidential client acts for its owner, within its scopes and theirs."""
    if client.secret_hash is None:
        return OAuthError("unauthorized_client", "A public client cannot act for itself.")
    allowed = set(client.scopes) - clients.ABOUT_PEOPLE
    scopes = frozenset(args["scope"].split()) if args.get("scope") else frozenset(allowed)
    if not scopes or not scopes <= allowed:
        return invalid_scope()
    owner = await accounts.actor(db, client.owner_id, caller)
    if owner is None or not owner.active:
        return invalid_grant("The owner of this client may not use it at the moment.")
    granted = await tokens.grant(
        db,
        kit,
        owner,
        device=client.name,
        scopes=scopes,
        client_id=str(client.id),
        lasting=False,
        subject=client.id,
    )
    return Redeemed(granted.pair, None)


def answer_address(asked_uri: str, issuer: str, **parameters: str | None) -> str:
    """The redirect address with parameters added, `iss` among them (RFC 9207)."""
    parts = urlsplit(asked_uri)
    added = urlencode({name: value for name, value in {**parameters, "iss": issuer}.items() if value is not None})
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


async def _replayed(db: AsyncSession, caller: Actor, hashed: bytes) -> None:
    """A code came twice: whoever got tokens for it the first time loses them."""
    row = await db.scalar(queries.code(hashed))
    if row is not None and row.family_id is not None:
        await tokens.end_family(db, row.family_id, "authorization code used again")
        actor = replace(caller if caller.signed_in else VISITOR, address=caller.address, request_id=caller.request_id)
        await audit.record(db, actor, "grant.code_replayed", ("token_family", row.family_id))


async def _person(db: AsyncSession, caller: Actor, row: AuthorizationCode) -> Actor | None:
    actor = await accounts.actor(db, row.person_id, caller)
    return actor if actor is not None and actor.active and actor.epoch == row.epoch else None


async def _id_token(kit: Tokens, actor: Actor, client: OAuthClient, row: AuthorizationCode, pair: TokenPair) -> str:
    half = sha256(pair.access_token.encode()).digest()[:16]
    claims: dict[str, Any] = {
        "sub": str(actor.id),
        "aud": str(client.id),
        "auth_time": int(row.auth_time.timestamp()),
        "at_hash": urlsafe_b64encode(half).rstrip(b"=").decode(),
    }
    if row.nonce is not None:
        claims["nonce"] = row.nonce
    return await kit.signer.issue_id_token({**claims, **person_claims(actor, set(row.scopes))})


def person_claims(actor: Actor, scopes: set[str] | frozenset[str]) -> dict[str, Any]:
    """What a client may know of a person by these scopes (OpenID Connect Core 5.4)."""
    claims: dict[str, Any] = {}
    if "email" in scopes:
        claims["email"] = actor.email
    if "profile" in scopes:
        claims["name"] = actor.display_name
    return claims


def _hash(code: str) -> bytes:
    return sha256(code.encode("utf-8", "surrogatepass")).digest()


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode("ascii", "replace")).digest()).rstrip(b"=").decode()
