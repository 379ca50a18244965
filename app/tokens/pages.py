"""One's API keys as pages: listed, made with a fresh sign-in, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import SCOPES
from app.errors import Conflict, Invalid
from app.ids import now
from app.tokens import keys
from app.tokens.schemas import NewKey, ScopeName
from app.web.context import current_actor, reading, settings, transaction
from app.web.fields import Title
from app.web.guards import requires, signed_in
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("tokens", __name__)
# Identity for other sites comes with OAuth; a key is for this API.
OFFERED = [scope for scope in SCOPES.values() if scope.name not in ("openid", "email", "profile")]


class KeyForm(msgspec.Struct, frozen=True):
    """A key to make; `expires_on` is its last whole day, `networks` has one per line."""

    name: Title
    scopes: Annotated[list[ScopeName], msgspec.Meta(min_length=1, max_length=20)]
    expires_on: date | None = None
    networks: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@blueprint.get("/account/keys")
@signed_in
async def index() -> Response:
    async with reading() as db:
        found = await keys.keys_of(db, current_actor())
    return await page("tokens/keys.html", keys=found, now=now())


@blueprint.get("/account/keys/new")
@requires(fresh=True)
async def new() -> Response:
    return await _form(FormData())


@blueprint.post("/account/keys/new")
@requires(fresh=True)
async def create() -> Response:
    form = await form_body(KeyForm)
    try:
        asked = form.require()
        end = datetime.combine(asked.expires_on, time(23, 59, 59), UTC) if asked.expires_on else None
        wanted = NewKey(asked.name, list(asked.scopes), end, asked.networks.split())
        async with transaction() as db:
            made, key = await keys.create(db, current_actor(), settings(), wanted)
    except Invalid as invalid:
        form.errors = {("expires_on" if name == "expires_at" else name): said for name, said in invalid.errors.items()}
        return await _form(form, 422)
    except Conflict as conflict:
        form.add_error("name", conflict.detail)
        return await _form(form, 409)
    # Shown in the answer itself and not after a redirect: nothing may keep the key on the way.
    return await page("tokens/key_made.html", 201, made=made, key=key)


async def _form(form: FormData[Any], status: int = 200) -> Response:
    life = int(settings().key_life // 86400)
    # What only administrators may do is no use to others; a key never does more than its owner may.
    offered = [scope for scope in OFFERED if current_actor().is_admin or not scope.name.startswith("admin:")]
    return await page("tokens/key_new.html", status, form=form, scopes=offered, days=life)


@blueprint.post("/account/keys/<uuid:key_id>/revoke")
@signed_in
async def revoke(key_id: UUID) -> Response:
    async with transaction() as db:
        await keys.revoke(db, current_actor(), key_id)
    return await see_other("/account/keys", "Revoked. The key opens nothing any more.")
