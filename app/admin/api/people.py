"""People and decisions about them, for programs."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.accounts import service as accounts
from app.accounts.service import Decision
from app.admin import acts, views
from app.admin.acts import Act
from app.admin.bulk import decide_all
from app.admin.doors import administrators
from app.admin.figures import EXACT_BELOW
from app.admin.schemas import (
    BulkBody,
    BulkDone,
    DecidedPerson,
    DecisionBody,
    PeoplePage,
    PeopleQuery,
    PersonDetail,
    RolesBody,
)
from app.mail.service import Postbox
from app.rights.confirmations import RollCall
from app.web.answers import answer
from app.web.budgets import expensive
from app.web.context import current_actor, extension, reading, resources, settings, transaction
from app.web.openapi import describe
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.parsing import json_body, query_args

blueprint = Blueprint("people", __name__)
DECISION = {"tag": "administration", "body": DecisionBody, "answers": {200: DecidedPerson}, "errors": (404, 409)}


@blueprint.get("/v1/admin/people")
@describe("People, newest application first", tag="administration", query=PeopleQuery, answers={200: PeoplePage})
@administrators(scope="admin:read")
async def people() -> Response:
    query = query_args(PeopleQuery)
    after = decode_cursor(query.cursor, query)
    async with reading() as db:
        found = await accounts.people(
            db,
            status=query.status,
            role=query.role,
            search=query.q,
            after=after,
            limit=query.limit + 1,
            count_to=EXACT_BELOW + 1,
        )
    rows, more = split(found.rows, query.limit)
    cursor = encode_cursor(rows[-1].created_at, rows[-1].id, query) if more else None
    total, exact = min(found.total, EXACT_BELOW), found.total <= EXACT_BELOW
    return answer(PeoplePage([views.person_view(row) for row in rows], cursor, total, exact))


@blueprint.get("/v1/admin/people/<uuid:person_id>")
@describe(
    "One person and what was decided about them", tag="administration", answers={200: PersonDetail}, errors=(404,)
)
@administrators(scope="admin:read")
async def person(person_id: UUID) -> Response:
    async with reading() as db:
        detail = await views.person_detail(db, person_id)
    return answer(detail)


async def _decide(person_id: UUID, verb: str) -> Response:
    body = await json_body(DecisionBody)
    decision = Decision(verb, body.reason, body.message, body.until)
    async with transaction() as db:
        act = await acts.decide(db, settings(), extension(Postbox), current_actor(), person_id, decision)
    return await _decided(act)


async def _decided(act: Act) -> Response:
    found = await acts.heard(extension(RollCall), act.decided.nonce)
    async with reading() as db:
        shown = await views.decided_person(db, act.decided.person_id, act.ended, acts.confirmed(found))
    return answer(shown)


@blueprint.post("/v1/admin/people/<uuid:person_id>/approve")
@describe("Approve an application", **DECISION)
@administrators(scope="admin:write")
async def approve(person_id: UUID) -> Response:
    return await _decide(person_id, "approve")


@blueprint.post("/v1/admin/people/<uuid:person_id>/decline")
@describe("Decline an application", **DECISION)
@administrators(scope="admin:write")
async def decline(person_id: UUID) -> Response:
    return await _decide(person_id, "decline")


@blueprint.post("/v1/admin/people/<uuid:person_id>/suspend")
@describe("Suspend a person, which ends all they have at once", **DECISION)
@administrators(scope="admin:write")
async def suspend(person_id: UUID) -> Response:
    return await _decide(person_id, "suspend")


@blueprint.post("/v1/admin/people/<uuid:person_id>/reinstate")
@describe("Reinstate a suspended person", **DECISION)
@administrators(scope="admin:write")
async def reinstate(person_id: UUID) -> Response:
    return await _decide(person_id, "reinstate")


@blueprint.put("/v1/admin/people/<uuid:person_id>/roles")
@describe(
    "Give a person exactly these roles",
    tag="administration",
    body=RolesBody,
    answers={200: DecidedPerson},
    errors=(404, 409),
)
@administrators(scope="admin:write")
async def roles(person_id: UUID) -> Response:
    body = await json_body(RolesBody)
    async with transaction() as db:
        act = await acts.change_roles(
            db, settings(), current_actor(), person_id, body.roles, body.reason, seen=body.seen
        )
    return await _decided(act)


@blueprint.post("/v1/admin/people/bulk")
@describe(
    "Decide about up to 100 people; each is done or refused on its own",
    tag="administration",
    body=BulkBody,
    answers={200: BulkDone},
)
@administrators(scope="admin:write")
@expensive("bulk", budget="bulk", at_once=2, line=20, patience=20.0)
async def bulk() -> Response:
    body = await json_body(BulkBody)
    decision = Decision(body.action, body.reason, body.message, body.until)
    done, _ = await decide_all(
        resources(), extension(Postbox), extension(RollCall), current_actor(), body.ids, decision
    )
    return answer(done)
