"""The programs that act for one: those one agreed to, those signed in with one's password, and ending either."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.access import SCOPES
from app.oauth import clients
from app.tokens import service as tokens
from app.tokens import standing
from app.web.context import current_actor, reading, transaction
from app.web.guards import signed_in
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("connected", __name__)


@blueprint.get("/account/applications")
@signed_in
async def applications() -> Response:
    async with reading() as db:
        found = await clients.connected(db, current_actor())
        programs = await standing.own_sign_ins(db, current_actor())
    shown = [
        {
            "client_id": item.client_id,
            "name": item.name,
            "scopes": [SCOPES[name].words for name in item.scopes if name in SCOPES],
            "since": item.since,
        }
        for item in found
    ]
    return await page("oauth/applications.html", applications=shown, programs=programs)


@blueprint.post("/account/applications/<uuid:client_id>/disconnect")
@signed_in
async def disconnect(client_id: UUID) -> Response:
    async with transaction() as db:
        await tokens.end_client(db, current_actor(), str(client_id))
    return await see_other("/account/applications", "Disconnected. The program can no longer act for you.")


@blueprint.post("/account/applications/sign-ins/<uuid:family_id>/end")
@signed_in
async def end_sign_in(family_id: UUID) -> Response:
    async with transaction() as db:
        await standing.end_own_sign_in(db, current_actor(), family_id)
    return await see_other("/account/applications", "That program is signed out.")
