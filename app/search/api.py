"""The JSON route of the search; without a token it finds what is published."""

from __future__ import annotations

from quart import Blueprint, Response

from app.search.finding import look
from app.search.schemas import SearchPage, SearchQuery
from app.web.answers import answer
from app.web.budgets import expensive, spent
from app.web.guards import public
from app.web.openapi import describe
from app.web.parsing import query_args

blueprint = Blueprint("search_api", __name__)


@blueprint.get("/v1/search")
@describe(
    "Find texts: the journal, and with a token of scope documents:read the documents I may see; `Search-Budget-Remaining` "
    "says how many more searches there are today",
    tag="search",
    query=SearchQuery,
    answers={200: SearchPage, 304: None},
)
@public
@expensive("search", budget="searches", at_once=8, line=100, patience=10.0)
async def search() -> Response:
    found = await look(query_args(SearchQuery))
    budget = spent()
    return answer(found, headers=budget.headers("Search") if budget else None)
