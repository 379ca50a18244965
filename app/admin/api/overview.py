"""The overview, for programs."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin import figures
from app.admin.doors import administrators
from app.admin.figures import Overview
from app.web.answers import answer
from app.web.context import current_actor, reading
from app.web.openapi import describe

blueprint = Blueprint("overview", __name__)


@blueprint.get("/v1/admin/overview")
@describe("Numbers of the house, in all and by day", tag="administration", answers={200: Overview})
@administrators(scope="admin:read")
async def overview() -> Response:
    async with reading() as db:
        found = await figures.overview(db, current_actor())
    return answer(found)
