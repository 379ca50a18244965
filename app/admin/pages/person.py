"""One person: what is known, what was decided, what they are signed in with, and deciding about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from quart import Blueprint, Response

from app.access import ROLES
from app.accounts import service as accounts
from app.accounts import sessions
from app.accounts.service import DECISIONS, Decision, decisions_from
from app.admin import acts, views
from app.admin.acts import Act, sentence
from app.admin.doors import administrators
from app.admin.schemas import DecisionForm, ReasonBody, RolesForm
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.mail.service import Postbox
from app.rights.confirmations import RollCall
from app.tokens import standing
from app.web.context import current_actor, extension, reading, settings, transaction
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("person", __name__)


@blueprint.get("/admin/people/<uuid:person_id>")
@administrators()
async def person(person_id: UUID) -> Response:
    return await _page(person_id)


async def _page(person_id: UUID, tried: str = "", form: FormData[Any] | None = None) -> Response:
    """The person's page; `tried` names the form that was sent and is shown again with what is wrong with it."""
    async with reading() as db:
        detail = await views.person_detail(db, person_id)
        row = await accounts.person(db, person_id)
        open_sessions = await sessions.sessions_of(db, settings(), person_id, row.epoch)
        sign_ins = await standing.sign_ins(db, person_id, row.epoch)
    own = person_id == current_actor().id
    return await page(
        "admin/person.html",
        200 if form is None else 422,
        person=detail,
        own=own,
        actions=[] if own else decisions_from(detail.status),
        roles=ROLES,
        sessions=open_sessions,
        sign_ins=sign_ins,
        tried=tried,
        form=form or FormData(),
    )


@blueprint.post("/admin/people/<uuid:person_id>/<string:verb>")
@administrators()
async def decide(person_id: UUID, verb: str) -> Response:
    if verb not in DECISIONS:
        raise NotFound
    form = await form_body(DecisionForm)
    try:
        asked = form.require()
        decision = Decision(verb, asked.reason, asked.message, moment(asked.until))
        async with transaction() as db:
            act = await acts.decide(db, settings(), extension(Postbox), current_actor(), person_id, decision)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _page(person_id, verb, form)
    except (Conflict, Forbidden) as refusal:
        return await _refused(person_id, refusal)
    back = "/admin/queue" if verb in ("approve", "decline") else f"/admin/people/{person_id}"
    return await _done(act, f"{act.decided.display_name} is {act.decided.status} now.", back)


@blueprint.post("/admin/people/<uuid:person_id>/roles")
@administrators()
async def roles(person_id: UUID) -> Response:
    form = await form_body(RolesForm)
    try:
        asked = form.require()
        async with transaction() as db:
            act = await acts.change_roles(
                db, settings(), current_actor(), person_id, asked.roles, asked.reason, seen=asked.seen
            )
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _page(person_id, "roles", form)
    except (Conflict, Forbidden) as refusal:
        return await _refused(person_id, refusal)
    held = " and ".join(act.decided.roles)
    return await _done(act, f"{act.decided.display_name} is {held} now.", f"/admin/people/{person_id}")


@blueprint.post("/admin/people/<uuid:person_id>/end-sessions")
@administrators()
async def end_everything(person_id: UUID) -> Response:
    asked = (await form_body(ReasonBody)).require()
    async with transaction() as db:
        act = await acts.end_everything(db, settings(), current_actor(), person_id, asked.reason)
    return await _done(act, f"{act.decided.display_name} is signed out everywhere.", f"/admin/people/{person_id}")


@blueprint.post("/admin/people/<uuid:person_id>/sessions/<uuid:session_id>/end")
@administrators()
async def end_session(person_id: UUID, session_id: UUID) -> Response:
    async with transaction() as db:
        nonce = await sessions.end_for(db, current_actor(), person_id, session_id)
    found = await acts.heard(extension(RollCall), nonce)
    return await see_other(f"/admin/people/{person_id}", sentence("That session is ended.", None, found))


@blueprint.post("/admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>/end")
@administrators()
async def end_sign_in(person_id: UUID, family_id: UUID) -> Response:
    async with transaction() as db:
        nonce = await standing.end_sign_in(db, current_actor(), person_id, family_id)
    found = await acts.heard(extension(RollCall), nonce)
    return await see_other(f"/admin/people/{person_id}", sentence("That program is signed out.", None, found))


async def _done(act: Act, first: str, back: str) -> Response:
    found = await acts.heard(extension(RollCall), act.decided.nonce)
    return await see_other(back, sentence(first, act.ended, found))


async def _refused(person_id: UUID, refusal: Conflict | Forbidden) -> Response:
    return await see_other(f"/admin/people/{person_id}", f"Nothing was changed. {refusal.detail}", "error")


def moment(text: str) -> datetime | None:
    """A moment typed into a page, without a zone and meant in UTC; raises Invalid."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid({"until": ["Give a date and a time."]}) from None
