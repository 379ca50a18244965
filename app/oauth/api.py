"""The OAuth and OpenID endpoints for programs, in the forms their RFCs prescribe, and clients as JSON."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import unquote_plus
from uuid import UUID

import msgspec
from quart import Blueprint, Response, request
from quart_rate_limiter import rate_limit

from app.access import ADMIN, SCOPES, Actor
from app.errors import DomainError, NotAuthenticated
from app.oauth import clients, service
from app.oauth.errors import OAuthError, invalid_client, invalid_request
from app.oauth.models import OAuthClient
from app.oauth.schemas import (
    ClientList,
    ConnectedApplication,
    ConnectedList,
    MadeClient,
    NewClient,
)
from app.oauth.service import Redeemed
from app.tokens import service as tokens
from app.tokens.service import Tokens
from app.web.answers import answer, no_content
from app.web.context import current_actor, extension, reading, settings, transaction
from app.web.guards import public, requires
from app.web.limits import named_limit
from app.web.openapi import describe
from app.web.parsing import form_body, json_body

blueprint = Blueprint("oauth_api", __name__)
roots = Blueprint("oauth_roots", __name__)
FORM = "application/x-www-form-urlencoded"
Value = Annotated[str, msgspec.Meta(max_length=4096)]


class TokenForm(msgspec.Struct, frozen=True):
    """A token request (RFC 6749 4.1.3, 4.4.2, 6)."""

    grant_type: Value = ""
    code: Value = ""
    redirect_uri: Value = ""
    code_verifier: Value = ""
    refresh_token: Value = ""
    scope: Value = ""
    client_id: Value = ""
    client_secret: Value = ""


class TokenOnly(msgspec.Struct, frozen=True):
    """A token to revoke or to ask about (RFC 7009 2.1, RFC 7662 2.1)."""

    token: Value = ""
    token_type_hint: Value = ""
    client_id: Value = ""
    client_secret: Value = ""


class TokenAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens (RFC 6749 5.1, OpenID Connect Core 3.1.3.3)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None


class Introspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be known of a token (RFC 7662 2.2); of one that is not good, only that it is not active."""

    active: bool
    client_id: str | None = None
    scope: str | None = None
    sub: str | None = None
    exp: int | None = None
    iat: int | None = None
    iss: str | None = None
    aud: str | None = None
    jti: str | None = None
    token_type: str | None = None


class UserInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Claims about the person who agreed (OpenID Connect Core 5.3.2)."""

    sub: str
    email: str | None = None
    name: str | None = None


def oauth_problem(error: DomainError) -> Response:
    """An error of an OAuth endpoint as RFC 6749 5.2 has it."""
    if isinstance(error, OAuthError):
        code, headers = error.code, {"WWW-Authenticate": 'Basic realm="Scriptorium"'} if error.basic else {}
    elif isinstance(error, NotAuthenticated):
        code, headers = "invalid_token", {"WWW-Authenticate": f'{error.challenge} error="invalid_token"'}
    elif error.status == 403:
        code, headers = "insufficient_scope", {}
    else:
        later = error.status in (429, 503)
        code = "temporarily_unavailable" if later else "server_error" if error.status >= 500 else "invalid_request"
        headers = {"Retry-After": str(getattr(error, "retry_after", 5))} if later else {}
    return answer({"error": code, "error_description": error.detail}, error.status, headers)


@roots.post("/oauth/token")
@describe(
    "Get tokens: by code, refresh token or client credentials",
    tag="oauth",
    body=TokenForm,
    media_type=FORM,
    answers={200: TokenAnswer},
    errors=(401,),
    oauth=True,
)
@rate_limit(limits=[named_limit("TOKEN")])
@public
async def token() -> Response:
    form = (await form_body(TokenForm)).require()
    grants = {
        "authorization_code": service.redeem_code,
        "refresh_token": service.refresh,
        "client_credentials": service.for_itself,
    }
    async with transaction() as db:
        client = await _client(db, form.client_id, form.client_secret)
        if form.grant_type not in grants:
            raise OAuthError("unsupported_grant_type", "Offered are: " + ", ".join(grants) + ".")
        args = {name: value for name, value in msgspec.structs.asdict(form).items() if value}
        outcome = await grants[form.grant_type](db, extension(Tokens), _as_client(client), client, args)
    if isinstance(outcome, OAuthError):
        raise outcome
    return _tokens(outcome)


def _tokens(made: Redeemed) -> Response:
    pair = made.pair
    body = TokenAnswer(
        pair.access_token, pair.token_type, pair.expires_in, pair.scope, pair.refresh_token or None, made.id_token
    )
    return answer(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


@roots.post("/oauth/revoke")
@describe(
    "Revoke a token",
    tag="oauth",
    body=TokenOnly,
    media_type=FORM,
    answers={200: None},
    errors=(401,),
    oauth=True,
)
@rate_limit(limits=[named_limit("TOKEN")])
@public
async def revoke() -> Response:
    form = (await form_body(TokenOnly)).require()
    async with transaction() as db:
        client = await _client(db, form.client_id, form.client_secret)
        if not form.token:
            raise invalid_request("token is needed.")
        await tokens.revoke(db, extension(Tokens), _as_client(client), form.token, client_id=str(client.id))
    return Response(b"", status=200)


@roots.post("/oauth/introspect")
@describe(
    "Ask about a token of one's own",
    tag="oauth",
    body=TokenOnly,
    media_type=FORM,
    answers={200: Introspection},
    errors=(401,),
    oauth=True,
)
@rate_limit(limits=[named_limit("TOKEN")])
@public
async def introspect() -> Response:
    form = (await form_body(TokenOnly)).require()
    async with transaction() as db:
        client = await _client(db, form.client_id, form.client_secret)
        if client.secret_hash is None:
            raise invalid_client()
        connection = await db.connection()
        found = await tokens.inspect(connection, extension(Tokens), form.token, str(client.id))
    return answer(Introspection(**found) if found else Introspection(active=False))


@roots.route("/oauth/userinfo", methods=["GET", "POST"])
@describe("Who agreed", tag="oauth", answers={200: UserInfo}, oauth=True)
@requires(scope="openid")
async def userinfo() -> Response:
    actor = current_actor()
    return answer(UserInfo(str(actor.id), **service.person_claims(actor, actor.scopes or frozenset())))


@roots.get("/.well-known/oauth-authorization-server")
@describe("Where the endpoints are (RFC 8414)", tag="discovery", answers={200: None})
@public
async def metadata() -> Response:
    return answer(_metadata(), headers={"Cache-Control": "public, max-age=300"})


@roots.get("/.well-known/openid-configuration")
@describe("Where the endpoints are (OpenID Connect Discovery)", tag="discovery", answers={200: None})
@public
async def openid_configuration() -> Response:
    return answer(_metadata(), headers={"Cache-Control": "public, max-age=300"})


def _metadata() -> Mapping[str, Any]:
    us = settings().public_url
    methods = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": us,
        "authorization_endpoint": f"{us}/oauth/authorize",
        "token_endpoint": f"{us}/oauth/token",
        "revocation_endpoint": f"{us}/oauth/revoke",
        "introspection_endpoint": f"{us}/oauth/introspect",
        "userinfo_endpoint": f"{us}/oauth/userinfo",
        "jwks_uri": f"{us}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "revocation_endpoint_auth_methods_supported": [*methods, "none"],
        "introspection_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "email", "name"],
        "service_documentation": f"{us}/docs",
    }


async def _client(db: Any, client_id: str, client_secret: str) -> OAuthClient:
    """The client that sends this request, by HTTP Basic or in the form, not both (RFC 6749 2.3.1)."""
    header = request.headers.get("Authorization", "")
    if header:
        if client_secret:
            raise invalid_request("Authenticate in one way only.")
        client_id, client_secret = _basic(header, client_id)
    client = await clients.find(db, client_id)
    if client is None or not clients.proves(client, client_secret or None):
        raise invalid_client()
    return client


def _basic(header: str, client_id: str) -> tuple[str, str]:
    scheme, _, credential = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        name, colon, secret = b64decode(credential.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        raise invalid_client() from None
    found = unquote_plus(name)
    if not colon or (client_id and client_id != found):
        raise invalid_client()
    return found, unquote_plus(secret)


def _as_client(client: OAuthClient) -> Actor:
    """The caller of this request, under the client's name in the trail."""
    return replace(current_actor(), display_name=client.name, auth_type="client")


@blueprint.get("/v1/me/clients")
@describe("My clients", tag="clients", answers={200: ClientList})
@requires(scope="profile:read")
async def my_clients() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor())
    return answer(ClientList(found))


@blueprint.post("/v1/me/clients")
@describe("Register a client", tag="clients", body=NewClient, answers={201: MadeClient})
@requires(scope="profile:write")
async def register_client() -> Response:
    new = await json_body(NewClient)
    async with transaction() as db:
        view, secret = await clients.register(db, current_actor(), new)
    # No Idempotency-Key here: an answer that holds a secret must not be kept anywhere.
    return answer(MadeClient(**msgspec.structs.asdict(view), client_secret=secret), 201)


@blueprint.delete("/v1/me/clients/<uuid:client_id>")
@describe("End a client and all that was granted to it", tag="clients", answers={204: None}, errors=(404,))
@requires(scope="profile:write")
async def end_client(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return no_content()


@blueprint.get("/v1/me/applications")
@describe("Programs connected to me", tag="clients", answers={200: ConnectedList})
@requires(scope="profile:read")
async def applications() -> Response:
    async with reading() as db:
        found = await connected(db)
    return answer(ConnectedList(found))


@blueprint.delete("/v1/me/applications/<uuid:client_id>")
@describe("Disconnect a program", tag="clients", answers={204: None})
@requires(scope="profile:write")
async def disconnect(client_id: UUID) -> Response:
    async with transaction() as db:
        await tokens.end_client(db, current_actor(), str(client_id))
    return no_content()


@blueprint.get("/v1/admin/clients")
@describe("Everybody's clients", tag="administration", answers={200: ClientList})
@requires(ADMIN, scope="admin:read")
async def all_clients() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor(), everybody=True)
    return answer(ClientList(found))


@blueprint.delete("/v1/admin/clients/<uuid:client_id>")
@describe("End anybody's client", tag="administration", answers={204: None}, errors=(404,))
@requires(ADMIN, scope="admin:write")
async def end_any_client(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return no_content()


async def connected(db: Any) -> list[ConnectedApplication]:
    """The caller's connected programs, one line per client; sign-ins with the password are not among them."""
    grants = await tokens.grants_of(db, current_actor())
    names = await clients.names(db, [grant.client_id for grant in grants])
    found: dict[str, ConnectedApplication] = {}
    for grant in grants:
        if grant.client_id in names:
            known = found.get(grant.client_id)
            scopes = sorted({*grant.scopes, *(known.scopes if known else ())})
            found[grant.client_id] = ConnectedApplication(
                grant.client_id, names[grant.client_id], scopes, grant.created_at
            )
    return list(found.values())
