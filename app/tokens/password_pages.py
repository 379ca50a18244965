"""The page on which people change their password."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response

from app.accounts import sessions
from app.errors import Invalid, Throttled
from app.passwords import MIN_LENGTH
from app.tokens import passwords
from app.tokens.schemas import NewPassword
from app.web.context import current_actor, resources, transaction
from app.web.cookies import session_cookie
from app.web.guards import signed_in
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("password", __name__)


@blueprint.get("/account/password")
@signed_in
async def edit() -> Response:
    return await _page(FormData())


@blueprint.post("/account/password")
@signed_in
async def update() -> Response:
    """This session goes on under a new id: whoever may have known the old one is out (ASVS 7.2.4)."""
    form = await form_body(NewPassword)
    actor = current_actor()
    try:
        password_hash = await passwords.hash_for(resources(), actor, form.require())
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _page(form, 422)
    except Throttled as refusal:
        form.add_error("current_password", refusal.detail)
        response = await _page(form, refusal.status)
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    async with transaction() as db:
        await passwords.change(db, actor, password_hash)
        token = await sessions.renew(db, actor, recorded=True)
    session_cookie().write(token)
    return await see_other("/account", "Your password is changed. You are signed out everywhere else.")


async def _page(form: FormData[Any], status: int = 200) -> Response:
    return await page("tokens/password.html", status, form=form, password_min=MIN_LENGTH)
