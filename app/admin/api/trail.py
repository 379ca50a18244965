"""The audit trail, for programs: a page at a time, or as a file."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin.doors import administrators
from app.admin.schemas import AuditFileQuery, AuditPage, AuditQuery
from app.admin.service import audit_view
from app.audit import service as audit
from app.audit.exporting import MEDIA_TYPES, MOST, Format, export
from app.audit.queries import Filters
from app.web.answers import answer, streamed
from app.web.budgets import expensive
from app.web.context import current_actor, reading, resources, transaction
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args

blueprint = Blueprint("trail", __name__)
FILE = {"tag": "administration", "query": AuditFileQuery, "answers": {200: None}}


@blueprint.get("/v1/admin/audit")
@describe("The audit trail, newest first", tag="administration", query=AuditQuery, answers={200: AuditPage})
@administrators(scope="admin:read")
async def trail() -> Response:
    query = query_args(AuditQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await audit.events(db, _filters(query), after=after, limit=query.limit + 1)
    rows, more = split(found, query.limit)
    cursor = encode_cursor(rows[-1].at, rows[-1].id, query) if more else None
    return answer(AuditPage([audit_view(row) for row in rows], cursor))


@blueprint.get("/v1/admin/audit.csv")
@describe(
    f"The newest {MOST:,} events as CSV (RFC 4180); cells that a spreadsheet would take for a formula begin with '",
    file_type="text/csv",
    **FILE,
)
@administrators(scope="admin:read")
@expensive("trail", budget="trails", at_once=2, line=10, patience=20.0)
async def as_csv() -> Response:
    return await _file("csv")


@blueprint.get("/v1/admin/audit.jsonl")
@describe(f"The newest {MOST:,} events as JSON Lines, each as in the list", file_type="application/jsonl", **FILE)
@administrators(scope="admin:read")
@expensive("trail", budget="trails", at_once=2, line=10, patience=20.0)
async def as_lines() -> Response:
    return await _file("jsonl")


async def _file(form: Format) -> Response:
    filters = _filters(query_args(AuditFileQuery))
    async with transaction() as db:
        await audit.record_export(db, current_actor(), filters, form)
    return await streamed(export(resources().database, filters, form), MEDIA_TYPES[form], f"audit.{form}")


def _filters(query: AuditQuery | AuditFileQuery) -> Filters:
    return Filters(query.kind, query.actor, query.target, query.address, query.since, query.until)
