"""The consent page: what a program asks for, in plain words, and the way back to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from quart import Blueprint, Response, redirect, request

from app.access import SCOPES
from app.errors import Invalid, NotAuthenticated
from app.ids import now
from app.oauth import service
from app.oauth.service import Asked, Redirected
from app.web.context import current_actor, settings, transaction
from app.web.guards import public, signed_in
from app.web.headers import content_security_policy, may_answer
from app.web.parsing import form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("consent", __name__)
Value = Annotated[str, msgspec.Meta(max_length=4096)]
ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
)


class ConsentForm(msgspec.Struct, frozen=True):
    """The decision, and the request it is about."""

    decision: Value = ""
    client_id: Value = ""
    redirect_uri: Value = ""
    response_type: Value = ""
    scope: Value = ""
    state: Value = ""
    nonce: Value = ""
    code_challenge: Value = ""
    code_challenge_method: Value = ""


@blueprint.get("/oauth/authorize")
@may_answer(content_security_policy=content_security_policy({"form-action": "'self' *"}))
@public
async def ask() -> Response:
    """Ask the person.  Only a request that wants no page (`prompt=none`) is answered to visitors: anybody else signs in
    first, so that this address cannot be used to send strangers elsewhere (RFC 9700 4.11.2)."""
    actor, args = current_actor(), _args()
    if not actor.signed_in and "none" not in args.get("prompt", "").split():
        raise NotAuthenticated
    return await _ask_visitor(args) if not actor.signed_in else await _ask_person(args)


async def _ask_visitor(args: Mapping[str, str]) -> Response:
    async with transaction() as db:
        try:
            await service.read_request(db, current_actor(), args)
        except Redirected as refused:
            return _refused(refused)
    raise NotAuthenticated


@signed_in
async def _ask_person(args: Mapping[str, str]) -> Response:
    async with transaction() as db:
        try:
            asked = await service.read_request(db, current_actor(), args)
        except Redirected as refused:
            return _refused(refused)
    if asked.max_age is not None and _proved_at() < now() - timedelta(seconds=asked.max_age):
        again = urlencode({name: value for name, value in args.items() if name not in ("prompt", "max_age")})
        return await see_other(f"/account/confirm?next={quote(f'/oauth/authorize?{again}', safe='/')}")
    response = await page(
        "oauth/consent.html",
        client_name=asked.client.name,
        scopes=[SCOPES[name].words for name in asked.scopes if name in SCOPES],
        host=urlsplit(asked.redirect_uri).netloc or urlsplit(asked.redirect_uri).scheme,
        args={name: args.get(name, "") for name in ConsentForm.__struct_fields__ if name != "decision"},
        days=int(settings().refresh_token_life // 86400),
    )
    _let_form_lead_to(response, asked)
    return response


def _proved_at() -> datetime:
    """When the person last proved who they are, in this browser."""
    fresh_until = current_actor().fresh_until
    return (fresh_until or now()) - timedelta(seconds=settings().fresh_for)


def _args() -> Mapping[str, str]:
    """The parameters of the request; one given twice is an error (RFC 6749 3.1)."""
    twice = [name for name in ASKED if len(request.args.getlist(name)) > 1]
    if twice:
        raise Invalid({name: ["This may be given once."] for name in twice})
    return {name: request.args[name] for name in ASKED if name in request.args}


def _let_form_lead_to(response: Response, asked: Asked) -> None:
    """The form's answer is a redirect to the client, which `form-action 'self'` would forbid."""
    parts = urlsplit(asked.redirect_uri)
    target = f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
    response.headers["Content-Security-Policy"] = content_security_policy({"form-action": f"'self' {target}"})


@blueprint.post("/oauth/authorize")
@signed_in
async def decide() -> Response:
    form = (await form_body(ConsentForm)).require()
    args = {name: value for name, value in msgspec.structs.asdict(form).items() if value}
    async with transaction() as db:
        try:
            asked = await service.read_request(db, current_actor(), args)
        except Redirected as refused:
            return _refused(refused)
        if form.decision != "agree":
            return _refused(Redirected(asked.redirect_uri, "access_denied", "The person declined.", asked.state))
        code = await service.agree(db, current_actor(), asked, _proved_at())
    return _back(asked.redirect_uri, code=code, state=asked.state)


def _refused(refused: Redirected) -> Response:
    return _back(refused.redirect_uri, error=refused.error, error_description=refused.description, state=refused.state)


def _back(uri: str, **parameters: str | None) -> Response:
    """Send the browser back to the client: 303, so that a form is never posted on (RFC 9700 4.12)."""
    address = service.answer_address(uri, settings().public_url, **parameters)
    answer: Any = redirect(address, 303)
    response: Response = answer
    return response
