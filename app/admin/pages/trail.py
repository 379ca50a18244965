"""The audit trail's page, and the trail as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.accounts import service as accounts
from app.admin.doors import administrators
from app.admin.schemas import Cursor, Words
from app.admin.service import audit_view, ids_among
from app.audit import service as audit
from app.audit.exporting import MEDIA_TYPES, MOST, Format, export
from app.audit.queries import Filters
from app.errors import Invalid
from app.web.answers import streamed
from app.web.budgets import expensive
from app.web.context import current_actor, reading, resources, transaction
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args
from app.web.render import page

blueprint = Blueprint("trail", __name__)
PAGE = 50


class TrailArgs(msgspec.Struct, frozen=True):
    """What the trail may be asked for, moments in UTC; anything else in the address is ignored."""

    kind: Words = ""
    actor: Words = ""
    target: Words = ""
    address: Words = ""
    since: Words = ""
    until: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/audit")
@administrators()
async def trail() -> Response:
    args = query_args(TrailArgs)
    filters = _filters(args)
    given = {name: value for name, value in msgspec.structs.asdict(args).items() if value and name != "cursor"}
    async with reading() as db:
        found = await audit.events(db, filters, after=decode_cursor(args.cursor, given), limit=PAGE + 1)
        names = await accounts.names(db, ids_among(event.target_id for event in found if event.target_type == "person"))
    rows, more = split(found, PAGE)
    cursor = encode_cursor(rows[-1].at, rows[-1].id, given) if more else None
    return await page(
        "admin/audit.html",
        events=[audit_view(row) for row in rows],
        names={str(person.id): person.display_name for person in names},
        filters=given,
        query=urlencode(given),
        most=MOST,
        next_url="/admin/audit?" + urlencode({**given, "cursor": cursor}) if cursor else None,
        previous_url="/admin/audit?" + urlencode(given) if args.cursor else None,
    )


@blueprint.get("/admin/audit.csv")
@administrators()
@expensive("trail", budget="trails", at_once=2, line=10, patience=20.0)
async def as_csv() -> Response:
    return await _file("csv")


@blueprint.get("/admin/audit.jsonl")
@administrators()
@expensive("trail", budget="trails", at_once=2, line=10, patience=20.0)
async def as_lines() -> Response:
    return await _file("jsonl")


async def _file(form: Format) -> Response:
    filters = _filters(query_args(TrailArgs))
    async with transaction() as db:
        await audit.record_export(db, current_actor(), filters, form)
    return await streamed(export(resources().database, filters, form), MEDIA_TYPES[form], f"audit.{form}")


def _filters(args: TrailArgs) -> Filters:
    return Filters(
        args.kind.strip(),
        _uuid(args.actor),
        args.target.strip(),
        args.address.strip(),
        _moment("since", args.since),
        _moment("until", args.until),
    )


def _uuid(text: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError:
        raise Invalid({"actor": ["This is not an id."]}) from None


def _moment(name: str, text: str) -> datetime | None:
    """A moment as a page's field writes it, without a zone and meant in UTC; raises Invalid."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid({name: ["Give a date and a time."]}) from None
