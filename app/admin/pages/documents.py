"""All documents: what there is, in which state, with whom, and what changed last."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from quart import Blueprint, Response

from app.admin.doors import administrators
from app.admin.schemas import Cursor, Words
from app.documents import service as documents
from app.documents.life import STATES
from app.web.badges import state_label
from app.web.context import current_actor, reading
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("documents", __name__)
PATH = "/admin/documents"
PAGE = 50


class ListArgs(msgspec.Struct, frozen=True):
    """What the list may be asked for; anything else in the address is ignored."""

    state: Words = ""
    cursor: Cursor = ""


@blueprint.get(PATH)
@administrators()
async def index() -> Response:
    args = query_args(ListArgs)
    state = args.state if args.state in STATES else ""
    given = {"state": state} if state else {}
    async with reading() as db:
        counts = await documents.counts(db, current_actor(), part=None)
        found = await documents.documents(
            db,
            current_actor(),
            part=None,
            state=state or None,
            after=decode_cursor(args.cursor, given),
            limit=PAGE + 1,
        )
    rows, more = split(found, PAGE)
    cursor = encode_cursor(rows[-1].updated_at, rows[-1].id, given) if more else ""
    return await page(
        "admin/documents.html",
        documents=rows,
        state=state,
        choices=[("", f"Any ({sum(counts.values()):,})")]
        + [(name, f"{state_label(name)} ({counts.get(name, 0):,})") for name in STATES],
        next_url=f"{PATH}?{urlencode({**given, 'cursor': cursor})}" if more else None,
        first_url=f"{PATH}?{urlencode(given)}" if args.cursor else None,
    )
