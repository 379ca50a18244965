"""HTML routes of the administration: overview, approval queue, people, one person, audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.access import ADMIN
from app.accounts import service as accounts
from app.accounts.service import DECISIONS, Decision
from app.admin import service
from app.admin.schemas import Cursor, DecisionForm, Words
from app.audit import service as audit
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import form_body, query_args
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("admin", __name__)
PAGE = 50


class ListArgs(msgspec.Struct, frozen=True):
    """What a list page may be asked for; anything else in the address is ignored."""

    q: Words = ""
    status: Words = ""
    kind: Words = ""
    actor: Words = ""
    target: Words = ""
    cursor: Cursor = ""


@blueprint.get("/admin/")
@requires(ADMIN)
async def overview() -> Response:
    async with reading() as db:
        counts = await service.overview(db, current_actor())
    return await page("admin/overview.html", counts=counts, links=[])


@blueprint.get("/admin/queue")
@requires(ADMIN)
async def queue() -> Response:
    args = query_args(ListArgs)
    async with reading() as db:
        found = await accounts.people(
            db, status="pending", search=args.q, after=decode_cursor(args.cursor), limit=PAGE + 1, oldest_first=True
        )
    rows, more = split(found, PAGE)
    following = _following("/admin/queue", rows, more=more, q=args.q)
    return await page("admin/queue.html", people=rows, next_url=following, q=args.q)


@blueprint.get("/admin/people")
@requires(ADMIN)
async def people() -> Response:
    args = query_args(ListArgs)
    status = args.status if args.status in ("pending", "active", "declined", "suspended") else ""
    async with reading() as db:
        found = await accounts.people(
            db, status=status or None, search=args.q, after=decode_cursor(args.cursor), limit=PAGE + 1
        )
    rows, more = split(found, PAGE)
    return await page(
        "admin/people.html",
        people=rows,
        next_url=_following("/admin/people", rows, more=more, q=args.q, status=status),
        previous_url="/admin/people?" + urlencode({"q": args.q, "status": status}) if args.cursor else None,
        q=args.q,
        status=status,
    )


@blueprint.get("/admin/people/<uuid:person_id>")
@requires(ADMIN)
async def person(person_id: UUID) -> Response:
    async with reading() as db:
        row = await accounts.person(db, person_id)
        history = await accounts.history(db, person_id)
    own = person_id == current_actor().id
    actions = [] if own else [verb for verb, (start, _) in DECISIONS.items() if start == row.status]
    return await page("admin/person.html", person=service.person_detail(row, history), actions=actions)


@blueprint.post("/admin/people/<uuid:person_id>/<string:verb>")
@requires(ADMIN)
async def decide(person_id: UUID, verb: str) -> Response:
    if verb not in DECISIONS:
        raise NotFound
    form = await form_body(DecisionForm)
    back = "/admin/queue" if verb in ("approve", "decline") else f"/admin/people/{person_id}"
    try:
        asked = form.require()
        decision = Decision(verb, asked.reason, asked.message, _moment(asked.until))
        async with transaction() as db:
            decided = await accounts.decide(db, current_actor(), person_id, decision)
            said = f"{decided.display_name} is {'active' if decided.status == 'active' else decided.status} now."
    except Invalid as invalid:
        wrong = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in invalid.errors.items())
        return await see_other(f"/admin/people/{person_id}", f"Nothing was changed. {wrong}", "error")
    except (Conflict, Forbidden) as refusal:
        return await see_other(f"/admin/people/{person_id}", refusal.detail, "error")
    return await see_other(back, said)


@blueprint.get("/admin/audit")
@requires(ADMIN)
async def trail() -> Response:
    args = query_args(ListArgs)
    async with reading() as db:
        found = await audit.events(
            db,
            kind=args.kind,
            actor_id=_uuid(args.actor),
            target_id=args.target,
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


def _following(path: str, rows: list[Any], *, more: bool, **filters: str) -> str | None:
    if not more:
        return None
    return f"{path}?" + urlencode({**filters, "cursor": encode_cursor(rows[-1].created_at, rows[-1].id)})


def _moment(text: str) -> datetime | None:
    """A moment typed into a page, without a zone and meant in UTC; raises Invalid."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid({"until": ["Give a date and a time."]}) from None


def _uuid(text: str) -> UUID | None:
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError:
        raise Invalid({"actor": ["This is not an id."]}) from None
