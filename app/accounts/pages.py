"""HTML routes about accounts: registering, signing in and out, and one's own account and sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request
from quart_rate_limiter import rate_limit

from app.accounts import known_devices, service, sessions
from app.accounts.schemas import SignInForm, SignUp, SignUpForm
from app.accounts.sign_in import recognise
from app.accounts.sign_up import apply, hash_for
from app.errors import Invalid, NotAuthenticated, Throttled
from app.passwords import MIN_LENGTH
from app.web.budgets import expensive
from app.web.context import current_actor, reading, resources, settings, transaction
from app.web.cookies import session_cookie
from app.web.device_cookie import device_mark, device_token, keep_device
from app.web.devices import device_of
from app.web.guards import known, public, signed_in
from app.web.headers import may_answer
from app.web.limits import named_limit
from app.web.local_path import local_path
from app.web.noticing import notice
from app.web.parsing import FormData, form_body
from app.web.redirects import dashboard_of, see_other
from app.web.render import page

blueprint = Blueprint("accounts", __name__)
CLEARED = '"cache", "storage"'
SIGN_UP_PATHS = {"member": "/register", "sponsor": "/signupsponsor", "editor": "/signupeditor"}


@blueprint.get("/register", defaults={"role": "member"})
@blueprint.get("/signupsponsor", defaults={"role": "sponsor"})
@blueprint.get("/signupeditor", defaults={"role": "editor"})
@public
async def new(role: str) -> Response:
    return await _sign_up_page(role, FormData())


@blueprint.post("/register", defaults={"role": "member"})
@blueprint.post("/signupsponsor", defaults={"role": "sponsor"})
@blueprint.post("/signupeditor", defaults={"role": "editor"})
@rate_limit(limits=[named_limit("REGISTER")])
@public
@expensive("hash", at_once=40, line=400, patience=15.0)
async def create(role: str) -> Response:
    form = await form_body(SignUpForm)
    try:
        asked = form.require()
        sign_up = SignUp(asked.email, asked.display_name, asked.password, role)  # type: ignore[arg-type]  # by the route
        password_hash = await hash_for(resources(), sign_up)
        async with transaction() as db:
            application = await apply(db, resources(), current_actor(), sign_up, password_hash)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _sign_up_page(role, form, 422)
    if application.status == "pending":
        return await see_other("/login", "Thank you. Your application waits for an administrator; sign in to see it.")
    return await see_other("/login", "Your account is ready. Sign in with the password you chose.")


async def _sign_up_page(role: str, form: FormData[Any], status: int = 200) -> Response:
    approval = settings().sign_up[role] == "approval"
    return await page(
        "accounts/register.html",
        status,
        form=form,
        role=role,
        action=SIGN_UP_PATHS[role],
        approval=approval,
        password_min=MIN_LENGTH,
    )


@blueprint.get("/login")
@public
async def sign_in_form() -> Response:
    actor = current_actor()
    if actor.signed_in:
        return await see_other(local_path(request.args.get("next")) or dashboard_of(actor))
    return await _sign_in_page(FormData(), request.args.get("next"))


@blueprint.post("/login")
@public
@expensive("hash", at_once=40, line=400, patience=15.0)
async def sign_in() -> Response:
    form = await form_body(SignInForm)
    if form.parsed is None:
        return await _sign_in_page(form, "", 422)
    asked = form.parsed
    try:
        actor, _ = await recognise(
            resources(), current_actor(), asked.email, asked.password, via="password", device=device_mark()
        )
    except (NotAuthenticated, Throttled) as refusal:
        form.add_error("email", refusal.detail)
        response = await _sign_in_page(form, asked.next, refusal.status)
        if isinstance(refusal, Throttled):
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    device = device_of(request.headers.get("User-Agent", ""))
    before, (mark_token, mark) = current_actor(), device_token()
    async with transaction() as db:
        is_new = await known_devices.remember(db, actor.person_id(), mark)
        _, token = await sessions.open_session(
            db, settings(), actor, actor.epoch, device=device, is_new=is_new, before=before
        )
    session_cookie().write(token)
    if is_new:
        notice("new_device", about=actor.id, device=device)
    response = await see_other((local_path(asked.next) if actor.active else None) or dashboard_of(actor))
    keep_device(response, mark_token)
    return response


async def _sign_in_page(form: FormData[Any], target: str | None, status: int = 200) -> Response:
    return await page("accounts/login.html", status, form=form, next=local_path(target) or "")


@blueprint.get("/logout")
@blueprint.get("/sponsor/logout")
@blueprint.get("/editor/logout")
@public
async def sign_out_form() -> Response:
    if not current_actor().signed_in:
        return await see_other("/login")
    return await page("accounts/logout.html")


@blueprint.post("/logout")
@blueprint.post("/sponsor/logout")
@blueprint.post("/editor/logout")
@may_answer(clear_site_data=CLEARED)
@public
async def sign_out() -> Response:
    actor = current_actor()
    if actor.session_id is not None:
        async with transaction() as db:
            await sessions.end(db, actor, actor.session_id)
    session_cookie().clear()
    response = await see_other("/", "You are signed out.")
    # What was shown must not come back with the browser's "back" (ASVS 14.3.1); the flash cookie is ours and stays.
    response.headers["Clear-Site-Data"] = CLEARED
    return response


@blueprint.get("/account")
@signed_in
async def account() -> Response:
    async with reading() as db:
        person = await service.person(db, current_actor().person_id())
    links = [
        {"href": "/account/profile", "label": "Name", "hint": "As it stands beside what you write."},
        {"href": "/account/password", "label": "Password", "hint": "Another one, and signed out everywhere else."},
        {"href": "/account/sessions", "label": "Sessions", "hint": "Where you are signed in, and ending that."},
        {"href": "/account/history", "label": "Security history", "hint": "What happened to your account, and when."},
        {"href": "/account/keys", "label": "API keys", "hint": "For programs of yours that use the API."},
        {"href": "/account/applications", "label": "Connected applications", "hint": "Programs you let act for you."},
        {"href": "/account/clients", "label": "Clients", "hint": "Programs you run that ask people for access."},
    ]
    return await page("accounts/account.html", person=person, links=links)


@blueprint.get("/account/status")
@known
async def status() -> Response:
    actor = current_actor()
    if actor.active:
        return await see_other(dashboard_of(actor))
    async with reading() as db:
        person = await service.person(db, actor.person_id())
    return await page(
        "accounts/status.html",
        status=actor.status,
        message=person.status_message or None,
        until=person.status_until,
        since=person.status_since,
    )


@blueprint.get("/account/sessions")
@signed_in
async def my_sessions() -> Response:
    actor = current_actor()
    async with reading() as db:
        rows = await sessions.sessions_of(db, settings(), actor.person_id(), actor.epoch)
    shown = [
        {
            "id": row.id,
            "device": row.device,
            "address": row.address,
            "created_at": row.created_at,
            "last_seen_at": row.last_seen_at,
            "current": row.id == actor.session_id,
        }
        for row in rows
    ]
    return await page("accounts/sessions.html", sessions=shown)


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@signed_in
async def end_session(session_id: UUID) -> Response:
    actor = current_actor()
    async with transaction() as db:
        await sessions.end(db, actor, session_id)
    if session_id == actor.session_id:
        session_cookie().clear()
        return await see_other("/", "You are signed out.")
    return await see_other("/account/sessions", "That session is ended.")


@blueprint.post("/account/sessions/end-others")
@signed_in
async def end_other_sessions() -> Response:
    async with transaction() as db:
        count = await sessions.end_others(db, current_actor())
    ended = f"{count} other session{'' if count == 1 else 's'} ended." if count else "There were no other sessions."
    return await see_other("/account/sessions", ended)
