"""How the secrets stand, with two buttons that ask for a fresh sign-in: rotate one now, look for new ones now."""

from __future__ import annotations

from typing import Final

import msgspec
from quart import Blueprint, Response

from app.accounts.peppers import passwords_by_pepper
from app.admin.doors import administrators
from app.admin.schemas import Words
from app.admin.secrets import DATABASE, rotatable, rotate_now, secrets_view
from app.audit import service as audit
from app.errors import Conflict, NotFound, Unavailable
from app.web.context import current_actor, reading, resources, settings, transaction
from app.web.parsing import form_body, query_args
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("secrets", __name__)
PLACE: Final = "/admin/secrets"


class Choice(msgspec.Struct, frozen=True):
    """Which secret."""

    secret: Words = DATABASE


@blueprint.get("/admin/secrets")
@administrators()
async def index() -> Response:
    status = await resources().secrets.status()
    async with reading() as db:
        passwords = await passwords_by_pepper(db)
    return await page("admin/secrets.html", secrets=secrets_view(status, passwords, settings()))


@blueprint.get("/admin/secrets/rotate")
@administrators(fresh=True)
async def ask() -> Response:
    return await page("admin/secrets_rotate.html", secret=_known(query_args(Choice).secret))


@blueprint.post("/admin/secrets/rotate")
@administrators(fresh=True)
async def rotate() -> Response:
    asked = (await form_body(Choice)).parsed
    if asked is None:
        raise NotFound
    secret = _known(asked.secret)
    try:
        turned = await rotate_now(resources().secrets, secret)
    except (Conflict, Unavailable) as error:
        return await see_other(PLACE, f"The {secret} secret was not rotated: {error.detail}", "error")
    version = turned.versions.get(secret, turned.login or 0)
    async with transaction() as db:
        details = {"version": version, "emergency": False, "destroyed": []}
        await audit.record(db, current_actor(), "secrets.rotated", ("secret", secret), details)
    return await see_other(PLACE, f"The {secret} secret has version {version} now; {turned.workers} workers accept it.")


@blueprint.post("/admin/secrets/refresh")
@administrators()
async def refresh() -> Response:
    try:
        await resources().secrets.refresh("rings")
    except Unavailable as error:
        return await see_other(PLACE, f"Vault could not be asked: {error.detail}", "error")
    async with transaction() as db:
        await audit.record(db, current_actor(), "secrets.refreshed", ("secret", "all"))
    return await see_other(PLACE, "Vault was asked for new versions.")


def _known(name: str) -> str:
    if name not in rotatable(settings()):
        raise NotFound
    return name
