"""One's profile as a page: the name others see."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response

from app.accounts import service
from app.accounts.schemas import Profile
from app.web.context import current_actor, transaction
from app.web.guards import signed_in
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("profile", __name__)


@blueprint.get("/account/profile")
@signed_in
async def edit() -> Response:
    return await _page(FormData(values={"display_name": current_actor().display_name}))


@blueprint.post("/account/profile")
@signed_in
async def update() -> Response:
    form = await form_body(Profile)
    if form.parsed is None:
        return await _page(form, 422)
    async with transaction() as db:
        await service.rename(db, current_actor(), form.parsed.display_name)
    return await see_other("/account", "Your name is changed. It stands beside everything you wrote.")


async def _page(form: FormData[Any], status: int = 200) -> Response:
    return await page("accounts/profile.html", status, form=form)
