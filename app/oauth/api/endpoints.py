"""The endpoints behind the browser's back: tokens, revocation, introspection, and who agreed."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import unquote_plus

import msgspec
from msgspec.structs import replace
from quart import Blueprint, Response, request
from quart_rate_limiter import rate_limit
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.oauth import clients, service
from app.oauth.api.forms import FORM, Introspection, TokenAnswer, TokenForm, TokenOnly, UserInfo
from app.oauth.errors import OAuthError, invalid_client, invalid_request
from app.oauth.models import OAuthClient
from app.oauth.service import Redeemed
from app.tokens import service as tokens
from app.tokens.service import Tokens
from app.web.answers import answer
from app.web.context import current_actor, extension, transaction
from app.web.guards import public, requires
from app.web.limits import named_limit
from app.web.openapi import describe
from app.web.parsing import form_body

blueprint = Blueprint("endpoints", __name__)


@blueprint.post("/oauth/token")
@describe(
    "Get tokens: by code, refresh token or client credentials",
    tag="oauth",
    body=TokenForm,
    media_type=FORM,
    answers={200: TokenAnswer},
    errors=(401,),
    examples={"itself": {"grant_type": "client_credentials", "scope": "entries:read"}},
    oauth=True,
    secret=True,
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


@blueprint.post("/oauth/revoke")
@describe(
    "Revoke a token",
    tag="oauth",
    body=TokenOnly,
    media_type=FORM,
    examples={"refresh token": {"token": "scr_rt_..."}},
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


@blueprint.post("/oauth/introspect")
@describe(
    "Ask about a token of one's own",
    tag="oauth",
    body=TokenOnly,
    media_type=FORM,
    examples={"refresh token": {"token": "scr_rt_..."}},
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
        if not form.token:
            raise invalid_request("token is needed.")
        connection = await db.connection()
        found = await tokens.inspect(connection, extension(Tokens), form.token, str(client.id))
    return answer(Introspection(**found) if found else Introspection(active=False))


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
@describe("Who agreed", tag="oauth", answers={200: UserInfo}, oauth=True)
@requires(scope="openid")
async def userinfo() -> Response:
    actor = current_actor()
    return answer(UserInfo(str(actor.id), **service.person_claims(actor, actor.scopes or frozenset())))


async def _client(db: AsyncSession, client_id: str, client_secret: str) -> OAuthClient:
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
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
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
