"""The overview, for programs."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin import figures
from app.admin.doors import administrators
from app.admin.figures import Days, Overview
from app.web.answers import answer
from app.web.context import extension, reading
from app.web.openapi import describe

blueprint = Blueprint("overview", __name__)


@blueprint.get("/v1/admin/overview")
@describe("Numbers of the house, in all and by day", tag="administration", answers={200: Overview})
@administrators(scope="admin:read")
async def overview() -> Response:
    async with reading() as db:
        found = await figures.overview(db, extension(Days))
    return answer(found)
