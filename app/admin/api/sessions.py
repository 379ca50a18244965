"""What people are signed in with, and ending it, for programs."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.accounts import service as accounts
from app.accounts import sessions
from app.admin import acts, views
from app.admin.doors import administrators
from app.admin.schemas import DecidedPerson, EndedOne, ReasonBody, SessionsPage, SessionsQuery, Standing
from app.rights.confirmations import RollCall
from app.tokens import standing
from app.web.answers import answer
from app.web.context import current_actor, extension, reading, settings, transaction
from app.web.openapi import describe
from app.web.paging import decode_id, encode_id, split
from app.web.parsing import optional_json_body, query_args

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/v1/admin/sessions")
@describe("Open browser sessions, newest first", tag="administration", query=SessionsQuery, answers={200: SessionsPage})
@administrators(scope="admin:read")
async def index() -> Response:
    query = query_args(SessionsQuery)
    before = decode_id(query.cursor, query)
    async with reading() as db:
        found = await sessions.all_sessions(db, settings(), search=query.q, before=before, limit=query.limit + 1)
    rows, more = split(found, query.limit)
    cursor = encode_id(rows[-1].id, query) if more else None
    return answer(SessionsPage([views.owned_session(row) for row in rows], cursor))


@blueprint.get("/v1/admin/people/<uuid:person_id>/sessions")
@describe("What a person is signed in with", tag="administration", answers={200: Standing}, errors=(404,))
@administrators(scope="admin:read")
async def of_person(person_id: UUID) -> Response:
    async with reading() as db:
        person = await accounts.person(db, person_id)
        open_sessions = await sessions.sessions_of(db, settings(), person_id, person.epoch)
        sign_ins = await standing.sign_ins(db, person_id, person.epoch)
    return answer(Standing([views.open_session(row) for row in open_sessions], list(map(views.sign_in, sign_ins))))


@blueprint.delete("/v1/admin/people/<uuid:person_id>/sessions/<uuid:session_id>")
@describe("End one browser session of a person", tag="administration", answers={200: EndedOne}, errors=(404,))
@administrators(scope="admin:write")
async def end_session(person_id: UUID, session_id: UUID) -> Response:
    async with transaction() as db:
        nonce = await sessions.end_for(db, current_actor(), person_id, session_id)
    return answer(EndedOne(acts.confirmed(await acts.heard(extension(RollCall), nonce))))


@blueprint.delete("/v1/admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>")
@describe("End one sign-in of a person's program", tag="administration", answers={200: EndedOne}, errors=(404,))
@administrators(scope="admin:write")
async def end_sign_in(person_id: UUID, family_id: UUID) -> Response:
    async with transaction() as db:
        nonce = await standing.end_sign_in(db, current_actor(), person_id, family_id)
    return answer(EndedOne(acts.confirmed(await acts.heard(extension(RollCall), nonce))))


@blueprint.post("/v1/admin/people/<uuid:person_id>/end-sessions")
@describe(
    "End everything a person is signed in with",
    tag="administration",
    body=ReasonBody,
    body_required=False,
    answers={200: DecidedPerson},
    errors=(404,),
)
@administrators(scope="admin:write")
async def end_all(person_id: UUID) -> Response:
    body = await optional_json_body(ReasonBody)
    async with transaction() as db:
        act = await acts.end_everything(db, settings(), current_actor(), person_id, body.reason)
    found = await acts.heard(extension(RollCall), act.decided.nonce)
    async with reading() as db:
        shown = await views.decided_person(db, person_id, act.ended, acts.confirmed(found))
    return answer(shown)
