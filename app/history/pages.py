"""The page on which people read their own history."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response

from app.history.service import history
from app.web.context import current_actor, reading
from app.web.guards import signed_in
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("history", __name__)
PATH = "/account/history"
PAGE = 50


class HistoryArgs(msgspec.Struct, frozen=True):
    """From where on; anything else in the address is ignored."""

    cursor: Annotated[str, msgspec.Meta(max_length=64)] = ""


@blueprint.get(PATH)
@signed_in
async def index() -> Response:
    args = query_args(HistoryArgs)
    async with reading() as db:
        found = await history(db, current_actor().person_id(), cursor=args.cursor, limit=PAGE)
    following = f"{PATH}?{urlencode({'cursor': found.next_cursor})}" if found.next_cursor else None
    return await page(
        "history/index.html", happenings=found.items, next_url=following, first_url=PATH if args.cursor else None
    )
