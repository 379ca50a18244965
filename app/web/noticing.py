"""Telling the watch what a request did: whose it was is taken from the request itself, the same way everywhere."""

from __future__ import annotations

from quart import current_app, has_request_context, request

from app.errors import DomainError, Forbidden, NotFound
from app.watch.recorder import Watch
from app.web.client_address import address_block, client_address
from app.web.context import current_actor
from app.web.forms import OversizedForm
from app.web.redaction import redact
from app.web.request_id import request_id
from app.web.strict_json import OversizedJSON

LONGEST = 200


def notice(kind: str, *, about: object = None, **facts: str | int) -> None:
    """Note an event of the request being answered, under its address and whoever sent it, or the person it is about."""
    watch = current_app.extensions.get(Watch.__name__)
    if isinstance(watch, Watch):
        subject = (current_actor().id or "") if about is None else about
        block = address_block(client_address())
        watch.note(kind, block=block, subject=str(subject), request_id=request_id(), **facts)


def notice_refusal(error: DomainError) -> None:
    """Note an answer that refuses something, when it is one that honest callers seldom get.

    Somebody who is signed in and is told "you may not" or "there is nothing" is looking behind doors, if it happens
    often; strangers get so many of these that only their limits count them.
    """
    if not has_request_context():
        return
    path = redact(request.path)[:LONGEST]
    if error.code == "cross_site":
        notice("cross_site", path=path, method=request.method)
    elif error.code == "too_large" or isinstance(error.__cause__, OversizedJSON | OversizedForm):
        notice("bomb", path=path, code=error.code)
    elif error.code == "malformed":
        notice("hostile", path=path, code=error.code)
    elif isinstance(error, Forbidden | NotFound) and error.code != "form_token" and current_actor().signed_in:
        notice("probing", path=path, method=request.method, status=error.status)
