"""JSON routes about accounts: applying for one, and what the caller may know and do about their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from quart import Blueprint, Response
from quart_rate_limiter import rate_limit

from app.accounts import service, sessions
from app.accounts.schemas import Me, Profile, SessionView, SignedUp, SignUp
from app.accounts.sign_up import apply, hash_for
from app.web.answers import answer, no_content
from app.web.budgets import expensive
from app.web.context import current_actor, reading, resources, transaction
from app.web.guards import public, requires
from app.web.idempotency import once
from app.web.limits import named_limit
from app.web.openapi import describe
from app.web.paging import PageQuery, page_of
from app.web.parsing import json_body, query_args

blueprint = Blueprint("accounts_api", __name__)


class SessionList(msgspec.Struct, frozen=True):
    """The caller's browser sessions, newest first."""

    items: list[SessionView]
    next_cursor: str | None


@blueprint.post("/v1/people")
@describe(
    "Apply for an account",
    tag="account",
    body=SignUp,
    answers={201: SignedUp},
    errors=(403, 409),
    headers=("Idempotency-Key",),
)
@rate_limit(limits=[named_limit("REGISTER")])
@public
@expensive("hash", at_once=40, line=400, patience=15.0)
async def create() -> Response:
    sign_up = await json_body(SignUp)
    password_hash = await hash_for(resources(), sign_up)
    async with once() as work:
        if not work.done:
            made = await apply(work.db, resources(), current_actor(), sign_up, password_hash)
            view = SignedUp(made.id, made.status, sign_up.email, sign_up.display_name, sign_up.role)
            work.response = answer(view, 201)
    return work.answer


@blueprint.get("/v1/me")
@describe("Who am I", tag="account", answers={200: Me})
@requires(scope="profile:read")
async def me() -> Response:
    actor = current_actor()
    return answer(Me(actor.person_id(), actor.email, actor.display_name, sorted(actor.roles), actor.status))  # type: ignore[arg-type]  # one of four


@blueprint.patch("/v1/me")
@describe(
    "Change my name", tag="account", body=Profile, answers={200: Me}, examples={"name": {"display_name": "Ada Byron"}}
)
@requires(scope="profile:write")
async def rename() -> Response:
    profile, actor = await json_body(Profile), current_actor()
    async with transaction() as db:
        await service.rename(db, actor, profile.display_name)
    return answer(Me(actor.person_id(), actor.email, profile.display_name, sorted(actor.roles), actor.status))  # type: ignore[arg-type]  # one of four


@blueprint.get("/v1/me/sessions")
@describe("My browser sessions", tag="account", query=PageQuery, answers={200: SessionList})
@requires(scope="profile:read")
async def my_sessions() -> Response:
    query, actor = query_args(PageQuery), current_actor()
    async with reading() as db:
        rows = await sessions.sessions_of(db, resources().settings, actor.person_id(), actor.epoch)
    views = [session_view(row, actor.session_id) for row in rows]
    return answer(SessionList(*page_of(views, query, lambda view: (view.created_at, view.id))))


@blueprint.delete("/v1/me/sessions/<uuid:session_id>")
@describe("End one of my browser sessions", tag="account", answers={204: None}, errors=(404,))
@requires(scope="profile:write")
async def end_session(session_id: UUID) -> Response:
    async with transaction() as db:
        await sessions.end(db, current_actor(), session_id)
    return no_content()


def session_view(row: Any, current: UUID | None) -> SessionView:
    """A session as its owner sees it."""
    return SessionView(row.id, row.device, row.address, row.created_at, row.last_seen_at, row.id == current)
