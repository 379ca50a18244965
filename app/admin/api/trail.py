"""The audit trail, for programs."""

from __future__ import annotations

from quart import Blueprint, Response

from app.admin.doors import administrators
from app.admin.schemas import AuditPage, AuditQuery
from app.admin.service import audit_view
from app.audit import service as audit
from app.audit.queries import Filters
from app.web.answers import answer
from app.web.context import reading
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import query_args

blueprint = Blueprint("trail", __name__)


@blueprint.get("/v1/admin/audit")
@describe("The audit trail, newest first", tag="administration", query=AuditQuery, answers={200: AuditPage})
@administrators(scope="admin:read")
async def trail() -> Response:
    query = query_args(AuditQuery)
    after = decode_cursor(query.cursor)
    async with reading() as db:
        found = await audit.events(
            db,
            Filters(kind=query.kind, actor_id=query.actor, target_id=query.target),
            after=after,
            limit=query.limit + 1,
        )
    rows, more = split(found, query.limit)
    cursor = encode_cursor(rows[-1].at, rows[-1].id) if more else None
    return answer(AuditPage([audit_view(row) for row in rows], cursor))
