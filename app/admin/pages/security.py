"""What the watch saw: alerts, small plots by hour, events by source, and reports about the content policy."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response

from app.accounts import service as accounts
from app.admin.doors import administrators
from app.admin.schemas import Cursor, Words
from app.admin.service import ids_among
from app.watch import service as watch
from app.watch.kinds import ALERT, KINDS, title_of
from app.web.context import reading
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args
from app.web.plots import bars
from app.web.render import page

blueprint = Blueprint("security", __name__)
PAGE = 50
HOURS = 48
ALERTS = 10


class SecurityArgs(msgspec.Struct, frozen=True):
    """Which events to show; anything else in the address is ignored."""

    kind: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/security")
@administrators()
async def index() -> Response:
    args = query_args(SecurityArgs)
    given = {"kind": args.kind.strip()} if args.kind.strip() else {}
    async with reading() as db:
        moments, counted = await watch.by_hour(db, HOURS)
        found = await watch.events(db, args.kind.strip(), after=decode_cursor(args.cursor, given), limit=PAGE + 1)
        alerts = await watch.events(db, alerts=True, limit=ALERTS)
        reports = await watch.reports(db)
        names = await accounts.names(db, ids_among(event.subject for event in [*found, *alerts]))
    rows, more = split(found, PAGE)
    cursor = encode_cursor(rows[-1].first_at, rows[-1].id, given) if more else None
    return await page(
        "admin/security.html",
        alerts=alerts,
        plots=_plots(moments, counted),
        hours=HOURS,
        quiet=[KINDS[kind].title for kind, values in counted.items() if not any(values)],
        events=rows,
        reports=reports,
        names={str(person.id): person.display_name for person in names},
        title_of=title_of,
        filters=given,
        kinds=[("", "All"), *((kind, known.title) for kind, known in KINDS.items())],
        alert=ALERT,
        next_url="/admin/security?" + urlencode({**given, "cursor": cursor}) if cursor else None,
        previous_url="/admin/security?" + urlencode(given) if args.cursor else None,
    )


def _plots(moments: list[datetime], counted: dict[str, list[int]]) -> list[dict[str, object]]:
    return [
        {"title": KINDS[kind].title, "total": sum(values), "plot": bars(kind, KINDS[kind].title, moments, values)}
        for kind, values in counted.items()
        if any(values)
    ]
