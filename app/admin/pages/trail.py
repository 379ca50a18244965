"""The audit trail's page."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.admin.doors import administrators
from app.admin.schemas import Cursor, Words
from app.audit import service as audit
from app.audit.queries import Filters
from app.errors import Invalid
from app.web.context import reading
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("trail", __name__)
PAGE = 50


class TrailArgs(msgspec.Struct, frozen=True):
    """What the trail may be asked for; anything else in the address is ignored."""

    kind: Words = ""
    actor: Words = ""
    target: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/audit")
@administrators()
async def trail() -> Response:
    args = query_args(TrailArgs)
    async with reading() as db:
        found = await audit.events(
            db,
            Filters(kind=args.kind, actor_id=_uuid(args.actor), target_id=args.target),
            after=decode_cursor(args.cursor),
            limit=PAGE + 1,
        )
    rows, more = split(found, PAGE)
    filters = {"kind": args.kind, "actor": args.actor, "target": args.target}
    cursor = encode_cursor(rows[-1].at, rows[-1].id) if more else None
    return await page(
        "admin/audit.html",
        events=[{**row._mapping, "target": f"{row.target_type} {row.target_id}"} for row in rows],
        filters=filters,
        next_url="/admin/audit?" + urlencode({**filters, "cursor": cursor}) if cursor else None,
        previous_url="/admin/audit?" + urlencode(filters) if args.cursor else None,
    )


def _uuid(text: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError:
        raise Invalid({"actor": ["This is not an id."]}) from None
