"""The overview's page."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin import figures
from app.admin.doors import administrators
from app.admin.figures import Days
from app.web.context import extension, reading
from app.web.plots import bars
from app.web.render import page

blueprint = Blueprint("overview", __name__)
TITLES = {
    "sign_ins": "Sign-ins",
    "refused_sign_ins": "Refused sign-ins",
    "limits": "Requests over a limit",
    "commissioned": "Documents commissioned",
    "published": "Documents published",
}


@blueprint.get("/admin/")
@administrators()
async def overview() -> Response:
    async with reading() as db:
        found = await figures.overview(db, extension(Days))
    plots = [
        {"title": title, "total": sum(found.by_day[name]), "plot": bars(name, title, found.days, found.by_day[name])}
        for name, title in TITLES.items()
    ]
    table = [
        {"day": day, "values": [found.by_day[name][number] for name in TITLES]}
        for number, day in reversed(list(enumerate(found.days)))
    ]
    return await page("admin/overview.html", found=found, plots=plots, titles=list(TITLES.values()), table=table)
