"""Clients as JSON, for their owners and for administrators."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN
from app.oauth import clients
from app.oauth.schemas import ClientList, ClientView, MadeClient, NewClient
from app.web.answers import answer, no_content
from app.web.context import current_actor, transaction
from app.web.guards import from_network, requires
from app.web.openapi import describe
from app.web.paging import PageQuery, page_of
from app.web.parsing import json_body, query_args

blueprint = Blueprint("clients", __name__)


@blueprint.get("/v1/me/clients")
@describe("My clients", tag="clients", query=PageQuery, answers={200: ClientList})
@requires(scope="profile:read")
async def my_clients() -> Response:
    query = query_args(PageQuery)
    async with transaction() as db:
        found = await clients.clients(db, current_actor())
    return answer(ClientList(*page_of(found, query, _key)))


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


@blueprint.get("/v1/admin/clients")
@describe("Everybody's clients", tag="administration", query=PageQuery, answers={200: ClientList})
@from_network("admin_networks")
@requires(ADMIN, scope="admin:read")
async def all_clients() -> Response:
    query = query_args(PageQuery)
    async with transaction() as db:
        found = await clients.clients(db, current_actor(), everybody=True)
    return answer(ClientList(*page_of(found, query, _key)))


@blueprint.delete("/v1/admin/clients/<uuid:client_id>")
@describe("End anybody's client", tag="administration", answers={204: None}, errors=(404,))
@from_network("admin_networks")
@requires(ADMIN, scope="admin:write")
async def end_any_client(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return no_content()


def _key(client: ClientView) -> tuple[datetime, UUID]:
    return client.created_at, client.client_id
