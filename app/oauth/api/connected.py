"""What programs hold for the caller as JSON: applications they agreed to, and sign-ins with their password."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.oauth import clients
from app.oauth.schemas import ConnectedList, ProgramList, ProgramView
from app.tokens import service as tokens
from app.tokens import standing
from app.web.answers import answer, no_content
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import PageQuery, page_of
from app.web.parsing import query_args

blueprint = Blueprint("connected", __name__)


@blueprint.get("/v1/me/applications")
@describe("Programs connected to me", tag="clients", query=PageQuery, answers={200: ConnectedList})
@requires(scope="profile:read")
async def applications() -> Response:
    query = query_args(PageQuery)
    async with reading() as db:
        found = await clients.connected(db, current_actor())
    return answer(ConnectedList(*page_of(found, query, lambda item: (item.since, UUID(item.client_id)))))


@blueprint.delete("/v1/me/applications/<uuid:client_id>")
@describe("Disconnect a program", tag="clients", answers={204: None})
@requires(scope="profile:write")
async def disconnect(client_id: UUID) -> Response:
    async with transaction() as db:
        await tokens.end_client(db, current_actor(), str(client_id))
    return no_content()


@blueprint.get("/v1/me/sign-ins")
@describe("Programs signed in with my password", tag="account", query=PageQuery, answers={200: ProgramList})
@requires(scope="profile:read")
async def sign_ins() -> Response:
    query, actor = query_args(PageQuery), current_actor()
    async with reading() as db:
        rows = await standing.own_sign_ins(db, actor)
    views = [
        ProgramView(row.id, row.device, row.address, row.created_at, row.ends_at, row.id == actor.credential_id)
        for row in rows
    ]
    return answer(ProgramList(*page_of(views, query, lambda view: (view.created_at, view.id))))


@blueprint.delete("/v1/me/sign-ins/<uuid:family_id>")
@describe("Sign a program of mine out", tag="account", answers={204: None}, errors=(404,))
@requires(scope="profile:write")
async def end_sign_in(family_id: UUID) -> Response:
    async with transaction() as db:
        await standing.end_own_sign_in(db, current_actor(), family_id)
    return no_content()
