"""Clients: registered, listed and ended by their owners, listed and ended by administrators."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN, SCOPES
from app.errors import Conflict, Invalid
from app.oauth import clients
from app.oauth.schemas import NewClient
from app.tokens.schemas import ScopeName
from app.web.context import current_actor, settings, transaction
from app.web.fields import Title
from app.web.guards import from_network, requires, signed_in
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("clients", __name__)


class ClientForm(msgspec.Struct, frozen=True):
    """A client to register; one redirect address per line."""

    name: Title
    scopes: Annotated[list[ScopeName], msgspec.Meta(min_length=1, max_length=20)]
    kind: Literal["confidential", "public"] = "confidential"
    redirect_uris: Annotated[str, msgspec.Meta(max_length=5100)] = ""


@blueprint.get("/account/clients")
@signed_in
async def index() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor())
    return await page("oauth/clients.html", clients=found, words=_words)


@blueprint.get("/account/clients/new")
@requires(fresh=True)
async def new() -> Response:
    return await _form(FormData(values={"kind": "confidential"}, lists={"scopes": ["openid"]}))


@blueprint.post("/account/clients/new")
@requires(fresh=True)
async def create() -> Response:
    form = await form_body(ClientForm)
    try:
        asked = form.require()
        wanted = NewClient(asked.name, asked.kind, asked.redirect_uris.split(), list(asked.scopes))
        async with transaction() as db:
            made, secret = await clients.register(db, current_actor(), wanted)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _form(form, 422)
    except Conflict as conflict:
        form.add_error("name", conflict.detail)
        return await _form(form, 409)
    # Shown in the answer itself and not after a redirect: nothing may keep the secret on the way.
    return await page("oauth/client_made.html", 201, client=made, secret=secret, issuer=settings().public_url)


async def _form(form: FormData[Any], status: int = 200) -> Response:
    offered = [scope for scope in SCOPES.values() if current_actor().is_admin or not scope.name.startswith("admin:")]
    return await page("oauth/client_new.html", status, form=form, scopes=offered)


@blueprint.post("/account/clients/<uuid:client_id>/end")
@signed_in
async def end(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return await see_other("/account/clients", "Ended. All that was granted to it has ended too.")


@blueprint.get("/admin/clients")
@from_network("admin_networks")
@requires(ADMIN)
async def everybodys() -> Response:
    async with transaction() as db:
        found = await clients.clients(db, current_actor(), everybody=True)
    return await page("oauth/clients_admin.html", clients=found, words=_words)


@blueprint.post("/admin/clients/<uuid:client_id>/end")
@from_network("admin_networks")
@requires(ADMIN)
async def end_anybodys(client_id: UUID) -> Response:
    async with transaction() as db:
        await clients.end(db, current_actor(), client_id)
    return await see_other("/admin/clients", "Ended. All that was granted to it has ended too.")


def _words(scope: str) -> str:
    return SCOPES[scope].words if scope in SCOPES else scope
