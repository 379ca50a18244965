"""How the secrets stand, for programs.  Rotating asks for a fresh sign-in, which a program cannot give: see the page."""

from __future__ import annotations

from quart import Blueprint, Response

from app.accounts.peppers import passwords_by_pepper
from app.admin.doors import administrators
from app.admin.secrets import Secrets, secrets_view
from app.web.answers import answer
from app.web.context import reading, resources, settings
from app.web.openapi import describe

blueprint = Blueprint("secrets", __name__)


@blueprint.get("/v1/admin/secrets")
@describe("How every secret of this host stands; never a value", tag="administration", answers={200: Secrets})
@administrators(scope="admin:read")
async def index() -> Response:
    status = await resources().secrets.status()
    async with reading() as db:
        passwords = await passwords_by_pepper(db)
    return answer(secrets_view(status, passwords, settings()))
