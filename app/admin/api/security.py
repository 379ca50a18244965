"""What the watch saw, for programs."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin.doors import administrators
from app.admin.schemas import (
    PolicyReportList,
    PolicyReportView,
    SecurityEventPage,
    SecurityEventView,
    SecurityHours,
    SecurityQuery,
)
from app.watch import service as watch
from app.watch.kinds import title_of
from app.web.answers import answer
from app.web.context import reading
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args

blueprint = Blueprint("security", __name__)
HOURS = 48


@blueprint.get("/v1/admin/security")
@describe("Security events by hour, of the last two days", tag="administration", answers={200: SecurityHours})
@administrators(scope="admin:read")
async def by_hour() -> Response:
    async with reading() as db:
        moments, counted = await watch.by_hour(db, HOURS)
    return answer(SecurityHours(moments, counted))


@blueprint.get("/v1/admin/security/events")
@describe(
    "Security events, gathered by hour and source, the newest first; `alerts` asks for alerts only",
    tag="administration",
    query=SecurityQuery,
    answers={200: SecurityEventPage},
)
@administrators(scope="admin:read")
async def events() -> Response:
    query = query_args(SecurityQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await watch.events(db, query.kind, alerts=query.alerts, after=after, limit=query.limit + 1)
    rows, more = split(found, query.limit)
    views = [
        SecurityEventView(
            row.id, row.kind, title_of(row.kind), row.count, row.first_at, row.last_at, row.subject, row.block,
            row.request_id, row.facts,
        )
        for row in rows
    ]  # fmt: skip
    return answer(SecurityEventPage(views, encode_cursor(rows[-1].first_at, rows[-1].id, query) if more else None))


@blueprint.get("/v1/admin/security/policy-reports")
@describe(
    "Violations of the content policy that browsers reported, the latest first",
    tag="administration",
    answers={200: PolicyReportList},
)
@administrators(scope="admin:read")
async def policy_reports() -> Response:
    async with reading() as db:
        found = await watch.reports(db)
    views = [
        PolicyReportView(
            row.page, row.directive, row.blocked, row.source, row.line, row.count, row.first_at, row.last_at
        )
        for row in found
    ]
    return answer(PolicyReportList(views))
