"""Everybody's open sessions."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.accounts import sessions
from app.admin import acts
from app.admin.doors import administrators
from app.admin.schemas import Cursor, Words
from app.rights.confirmations import RollCall
from app.web.context import current_actor, extension, reading, settings, transaction
from app.web.paging import decode_id, encode_id, split
from app.web.parsing import query_args
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("sessions", __name__)
PAGE = 50


class SessionArgs(msgspec.Struct, frozen=True):
    """Whose sessions; `cursor` is what the page before gave."""

    q: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/sessions")
@administrators()
async def index() -> Response:
    args = query_args(SessionArgs)
    given = {"q": args.q} if args.q else {}
    before = decode_id(args.cursor, given)
    async with reading() as db:
        found = await sessions.all_sessions(db, settings(), search=args.q.strip(), before=before, limit=PAGE + 1)
    rows, more = split(found, PAGE)
    return await page(
        "admin/sessions.html",
        sessions=rows,
        q=args.q,
        next_url="/admin/sessions?" + urlencode({**given, "cursor": encode_id(rows[-1].id, given)}) if more else None,
        first_url="/admin/sessions?" + urlencode(given) if args.cursor else None,
    )


@blueprint.post("/admin/sessions/<uuid:person_id>/<uuid:session_id>/end")
@administrators()
async def end(person_id: UUID, session_id: UUID) -> Response:
    async with transaction() as db:
        nonce = await sessions.end_for(db, current_actor(), person_id, session_id)
    found = await acts.heard(extension(RollCall), nonce)
    return await see_other("/admin/sessions", acts.sentence("That session is ended.", None, found))
