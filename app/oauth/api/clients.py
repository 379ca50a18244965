"""Clients and connected programs as JSON, for their owners, for people and for administrators."""

from __future__ import annotations

from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN
from app.oauth import clients
from app.oauth.schemas import ClientList, ConnectedList, MadeClient, NewClient
from app.tokens import service as tokens
from app.web.answers import answer, no_content
from app.web.context import current_actor, reading, transaction
from app.web.guards import from_network, requires
from app.web.openapi import describe
from app.web.parsing import json_body

blueprint = Blueprint("oauth_api", __name__)


@blueprint.get("/v1/me/clients")
@describe("My clients", tag="clients", answers={200: ClientList})
@requires(scope="profile:read")
async def my_clients() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor())
    return answer(ClientList(found))


@blueprint.post("/v1/me/clients")
@describe(
    "Register a client",
    tag="clients",
    body=NewClient,
    answers={201: MadeClient},
    errors=(409,),
    examples={
        "website": {
            "name": "Reading list",
            "redirect_uris": ["https://app.example/callback"],
            "scopes": ["openid", "entries:read"],
        }
    },
    secret=True,
)
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
        found = await clients.connected(db, current_actor())
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
@from_network("admin_networks")
@requires(ADMIN, scope="admin:read")
async def all_clients() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor(), everybody=True)
    return answer(ClientList(found))


@blueprint.delete("/v1/admin/clients/<uuid:client_id>")
@describe("End anybody's client", tag="administration", answers={204: None}, errors=(404,))
@from_network("admin_networks")
@requires(ADMIN, scope="admin:write")
async def end_any_client(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return no_content()
