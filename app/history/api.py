"""One's own history, for programs."""

from __future__ import annotations

from quart import Blueprint, Response

from app.history.schemas import HistoryPage, HistoryQuery
from app.history.service import history
from app.web.answers import answer
from app.web.context import current_actor, reading
from app.web.guards import requires
from app.web.openapi import describe
from app.web.parsing import query_args

blueprint = Blueprint("history_api", __name__)


@blueprint.get("/v1/me/history")
@describe(
    "What I did and what happened to my account, newest first",
    tag="account",
    query=HistoryQuery,
    answers={200: HistoryPage},
)
@requires(scope="profile:read")
async def index() -> Response:
    query = query_args(HistoryQuery)
    async with reading() as db:
        return answer(await history(db, current_actor().person_id(), cursor=query.cursor, limit=query.limit))
