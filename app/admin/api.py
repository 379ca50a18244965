"""JSON routes of the administration: every action its pages have."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.access import ADMIN
from app.accounts import service as accounts
from app.accounts.service import Decision
from app.admin.schemas import (
    AuditPage,
    AuditQuery,
    DecisionBody,
    PeoplePage,
    PeopleQuery,
    PersonDetail,
    RolesBody,
)
from app.admin.service import audit_view, person_detail, person_view
from app.audit import service as audit
from app.web.answers import answer
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("admin_api", __name__)
DECISION = {"tag": "administration", "body": DecisionBody, "answers": {200: PersonDetail}, "errors": (404, 409)}


@blueprint.get("/v1/admin/people")
@describe("People, newest application first", tag="administration", query=PeopleQuery, answers={200: PeoplePage})
@requires(ADMIN, scope="admin:read")
async def people() -> Response:
    query = query_args(PeopleQuery)
    after = decode_cursor(query.cursor)
    async with reading() as db:
        found = await accounts.people(
            db, status=query.status, role=query.role, search=query.q, after=after, limit=query.limit + 1
        )
    rows, more = split(found, query.limit)
    cursor = encode_cursor(rows[-1].created_at, rows[-1].id) if more else None
    return answer(PeoplePage([person_view(row) for row in rows], cursor))


@blueprint.get("/v1/admin/people/<uuid:person_id>")
@describe(
    "One person and what was decided about them", tag="administration", answers={200: PersonDetail}, errors=(404,)
)
@requires(ADMIN, scope="admin:read")
async def person(person_id: UUID) -> Response:
    return await _detail(person_id)


async def _detail(person_id: UUID) -> Response:
    async with reading() as db:
        row = await accounts.person(db, person_id)
        history = await accounts.history(db, person_id)
    return answer(person_detail(row, history))


async def _decide(person_id: UUID, verb: str) -> Response:
    body = await json_body(DecisionBody)
    async with transaction() as db:
        decision = Decision(verb, body.reason, body.message, body.until)
        await accounts.decide(db, current_actor(), person_id, decision)
    return await _detail(person_id)


@blueprint.post("/v1/admin/people/<uuid:person_id>/approve")
@describe("Approve an application", **DECISION)
@requires(ADMIN, scope="admin:write")
async def approve(person_id: UUID) -> Response:
    return await _decide(person_id, "approve")


@blueprint.post("/v1/admin/people/<uuid:person_id>/decline")
@describe("Decline an application", **DECISION)
@requires(ADMIN, scope="admin:write")
async def decline(person_id: UUID) -> Response:
    return await _decide(person_id, "decline")


@blueprint.post("/v1/admin/people/<uuid:person_id>/suspend")
@describe("Suspend a person, which ends all they have at once", **DECISION)
@requires(ADMIN, scope="admin:write")
async def suspend(person_id: UUID) -> Response:
    return await _decide(person_id, "suspend")


@blueprint.post("/v1/admin/people/<uuid:person_id>/reinstate")
@describe("Reinstate a suspended person", **DECISION)
@requires(ADMIN, scope="admin:write")
async def reinstate(person_id: UUID) -> Response:
    return await _decide(person_id, "reinstate")


@blueprint.put("/v1/admin/people/<uuid:person_id>/roles")
@describe(
    "Give a person exactly these roles",
    tag="administration",
    body=RolesBody,
    answers={200: PersonDetail},
    errors=(404, 409),
)
@requires(ADMIN, scope="admin:write")
async def roles(person_id: UUID) -> Response:
    body = await json_body(RolesBody)
    async with transaction() as db:
        await accounts.change_roles(db, current_actor(), person_id, body.roles, body.reason)
    return await _detail(person_id)


@blueprint.get("/v1/admin/audit")
@describe("The audit trail, newest first", tag="administration", query=AuditQuery, answers={200: AuditPage})
@requires(ADMIN, scope="admin:read")
async def trail() -> Response:
    query = query_args(AuditQuery)
    after = decode_cursor(query.cursor)
    async with reading() as db:
        found = await audit.events(
            db, kind=query.kind, actor_id=query.actor, target_id=query.target, after=after, limit=query.limit + 1
        )
    rows, more = split(found, query.limit)
    cursor = encode_cursor(rows[-1].at, rows[-1].id) if more else None
    return answer(AuditPage([audit_view(row) for row in rows], cursor))
