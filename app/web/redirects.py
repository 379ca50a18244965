"""Where people go after an act: 303 to one of our own pages (RFC 9110 15.4.4), with one sentence of what happened."""

from __future__ import annotations

from typing import Literal

from quart import Response, flash, redirect

from app.access import ADMIN, EDITOR, SPONSOR, Actor

Kind = Literal["info", "success", "warning", "error"]


def dashboard_of(actor: Actor) -> str:
    """The page somebody works from."""
    if not actor.active:
        return "/account/status"
    for role, path in ((ADMIN, "/admin/"), (SPONSOR, "/sponsor/dashboard"), (EDITOR, "/editor/dashboard")):
        if role in actor.roles:
            return path
    return "/account"


async def see_other(path: str, message: str = "", kind: Kind = "success") -> Response:
    """Send the browser on to `path`, where `message` is shown once."""
    if message:
        await flash(message, kind)
    response = redirect(path, 303)
    assert isinstance(response, Response)  # noqa: S101 - Quart's own type says less than it does  # nosec B101
    return response
