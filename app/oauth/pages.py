"""Pages about programs: the consent page, and the programs connected to one's account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from quart import Blueprint, Response, redirect, request

from app.access import SCOPES
from app.errors import Invalid
from app.oauth import service
from app.oauth.api import connected
from app.oauth.service import Asked, Redirected
from app.tokens import service as tokens
from app.web.context import current_actor, reading, settings, transaction
from app.web.guards import signed_in
from app.web.headers import content_security_policy
from app.web.parsing import form_body
from app.web.redirects import see_other
from app.web.render import page

blueprint = Blueprint("oauth", __name__)
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
@signed_in
async def ask() -> Response:
    args = _args()
    async with transaction() as db:
        try:
            asked = await service.read_request(db, args)
        except Redirected as refused:
            return _back(
                refused.redirect_uri, error=refused.error, description=refused.description, state=refused.state
            )
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
            asked = await service.read_request(db, args)
        except Redirected as refused:
            return _back(
                refused.redirect_uri, error=refused.error, description=refused.description, state=refused.state
            )
        if form.decision != "agree":
            return _back(
                asked.redirect_uri, error="access_denied", description="The person declined.", state=asked.state
            )
        code = await service.agree(db, current_actor(), asked)
    return _back(asked.redirect_uri, code=code, state=asked.state)


def _back(
    uri: str,
    *,
    code: str | None = None,
    error: str | None = None,
    description: str | None = None,
    state: str | None = None,
) -> Response:
    """Send the browser back to the client: 303, so that a form is never posted on (RFC 9700 4.12)."""
    address = service.answer_address(
        uri, settings().public_url, code=code, error=error, error_description=description, state=state
    )
    answer: Any = redirect(address, 303)
    response: Response = answer
    return response


@blueprint.get("/account/applications")
@signed_in
async def applications() -> Response:
    async with reading() as db:
        found = await connected(db)
    shown = [
        {
            "client_id": item.client_id,
            "name": item.name,
            "scopes": [SCOPES[name].words for name in item.scopes if name in SCOPES],
            "since": item.since,
        }
        for item in found
    ]
    return await page("oauth/applications.html", applications=shown)


@blueprint.post("/account/applications/<uuid:client_id>/disconnect")
@signed_in
async def disconnect(client_id: UUID) -> Response:
    async with transaction() as db:
        await tokens.end_client(db, current_actor(), str(client_id))
    return await see_other("/account/applications", "Disconnected. The program can no longer act for you.")
