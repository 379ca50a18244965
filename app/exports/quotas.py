"""Who has used how much of today's budget, for administrators: the page and the JSON route."""

from __future__ import annotations

from quart import Blueprint, Response

from app.access import ADMIN
from app.accounts import service as accounts
from app.exports.schemas import Quotas, UsedQuota
from app.web.answers import answer
from app.web.budgets import VISITOR, Budgets
from app.web.context import extension, reading
from app.web.guards import from_network, requires
from app.web.openapi import describe
from app.web.render import page

pages = Blueprint("quotas", __name__)
api = Blueprint("quotas_api", __name__)
MOST = 100


async def _quotas() -> Quotas:
    budgets = extension(Budgets)
    used = await budgets.used_today("exports", MOST)
    async with reading() as db:
        names = {row.id: row.display_name for row in await accounts.names(db, list(used))}
    people = [UsedQuota("exports", one, names[one], count) for one, count in used.items() if one in names]
    return Quotas({role: limit for role, limit in budgets.by_role["exports"].items() if role != VISITOR}, people)


@pages.get("/admin/quotas")
@from_network("admin_networks")
@requires(ADMIN)
async def index() -> Response:
    return await page("exports/quotas.html", quotas=await _quotas(), most=MOST)


@api.get("/v1/admin/quotas")
@describe(
    "What people used of today's budgets, the most first; at most a hundred of them",
    tag="administration",
    answers={200: Quotas},
)
@from_network("admin_networks")
@requires(ADMIN, scope="admin:read")
async def quotas() -> Response:
    return answer(await _quotas())
