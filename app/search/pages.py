"""The page of the search."""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Blueprint, Response, request

from app.documents.life import STATES
from app.errors import Invalid
from app.search.finding import look
from app.search.schemas import SearchPage, SearchQuery
from app.web.budgets import expensive, spent
from app.web.guards import public
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("search", __name__)
_KEPT = ("q", "where", "state", "person", "tag", "since", "until")


@blueprint.get("/search")
@public
@expensive("search", budget="searches", at_once=8, line=100, patience=10.0)
async def search() -> Response:
    typed = {name: request.args.get(name, "") for name in _KEPT}
    errors: dict[str, list[str]] = {}
    found = SearchPage([], False, None)
    try:
        asked = query_args(SearchQuery)
        found = await look(asked)
    except Invalid as invalid:
        errors = invalid.errors
    following = None
    if found.next_cursor:
        following = "/search?" + urlencode({k: v for k, v in typed.items() if v} | {"cursor": found.next_cursor})
    return await page(
        "search/index.html",
        422 if errors else 200,
        typed=typed,
        errors=errors,
        found=found,
        states=STATES,
        next_url=following,
        budget=spent() if not errors else None,
    )
