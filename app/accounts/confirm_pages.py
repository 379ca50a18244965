"""Proving again who one is before a sensitive act ("sudo mode", ASVS 7.5.1): the password once more, then on."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from quart import Blueprint, Response, request

from app.accounts import sessions
from app.accounts.sign_in import recognise
from app.errors import NotAuthenticated, Throttled
from app.web.budgets import expensive
from app.web.context import current_actor, resources, transaction
from app.web.cookies import session_cookie
from app.web.device_cookie import device_mark
from app.web.guards import signed_in
from app.web.local_path import local_path
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("confirm", __name__)
Loose = Annotated[str, msgspec.Meta(max_length=4096)]


class ConfirmForm(msgspec.Struct, frozen=True):
    """The password, and where to go on."""

    password: Loose
    next: Loose = ""


@blueprint.get("/account/confirm")
@signed_in
async def ask() -> Response:
    return await _page(FormData(), request.args.get("next"))


@blueprint.post("/account/confirm")
@signed_in
@expensive("hash", at_once=40, line=400, patience=15.0)
async def confirm() -> Response:
    """The same door, limits and counters as signing in; the session then goes on under a new id (ASVS 7.2.4)."""
    form = await form_body(ConfirmForm)
    if form.parsed is None:
        return await _page(form, "", 422)
    actor = current_actor()
    try:
        await recognise(resources(), actor, actor.email, form.parsed.password, via="confirm", device=device_mark())
    except NotAuthenticated:
        form.add_error("password", "That is not your password.")
        return await _page(form, form.parsed.next, 422)
    except Throttled as refusal:
        form.add_error("password", refusal.detail)
        response = await _page(form, form.parsed.next, refusal.status)
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    async with transaction() as db:
        token = await sessions.renew(db, actor)
    session_cookie().write(token)
    return await see_other(local_path(form.parsed.next) or "/account")


async def _page(form: FormData[Any], target: str | None, status: int = 200) -> Response:
    return await page("accounts/confirm.html", status, form=form, next=local_path(target) or "")
