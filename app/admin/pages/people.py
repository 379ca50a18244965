"""Lists of people: the approval queue, and everybody."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response

from app.access import ROLES
from app.accounts import service as accounts
from app.accounts.life import STATUSES
from app.admin.doors import administrators
from app.admin.figures import EXACT_BELOW
from app.admin.schemas import Cursor, Words
from app.web.context import reading
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("people", __name__)
PAGE = 50


class ListArgs(msgspec.Struct, frozen=True):
    """What a list may be asked for; anything else in the address is ignored."""

    q: Words = ""
    status: Words = ""
    role: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/queue")
@administrators()
async def queue() -> Response:
    args = query_args(ListArgs)
    return await _list("/admin/queue", args, status="pending", oldest_first=True)


@blueprint.get("/admin/people")
@administrators()
async def people() -> Response:
    args = query_args(ListArgs)
    return await _list("/admin/people", args, status=args.status if args.status in STATUSES else "")


async def _list(path: str, args: ListArgs, *, status: str, oldest_first: bool = False) -> Response:
    role = args.role if args.role in ROLES else ""
    wanted: dict[str, Any] = {"status": status or None, "role": role or None, "search": args.q.strip()}
    shown = {"q": args.q, "status": "" if oldest_first else status, "role": role}
    given = {name: value for name, value in shown.items() if value}
    async with reading() as db:
        found = await accounts.people(
            db,
            **wanted,
            after=decode_cursor(args.cursor, given),
            limit=PAGE + 1,
            oldest_first=oldest_first,
            count_to=EXACT_BELOW + 1,
        )
    rows, more = split(found.rows, PAGE)
    return await page(
        "admin/queue.html" if oldest_first else "admin/people.html",
        people=rows,
        filters=shown,
        counted=counted(found.total),
        next_url=_following(path, rows, given) if more else None,
        first_url=f"{path}?{urlencode(given)}" if args.cursor else None,
    )


def counted(total: int) -> str:
    """How many people match, in words; beyond ten thousand nobody waits for the count."""
    if total > EXACT_BELOW:
        return f"More than {EXACT_BELOW:,} people"
    return "1 person" if total == 1 else f"{total:,} people"


def _following(path: str, rows: list[Any], given: dict[str, str]) -> str:
    return f"{path}?" + urlencode({**given, "cursor": encode_cursor(rows[-1].created_at, rows[-1].id, given)})
