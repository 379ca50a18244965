"""Turning templates into pages: one synchronous Jinja environment over every feature's templates.

Quart's own environment is asynchronous, which costs half as much again per page (docs/decisions); our templates
never await, so they get a plain one with the same globals.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from quart import Response, get_flashed_messages, request, url_for

from app.ids import now
from app.settings import Settings
from app.web.assets import asset, integrity
from app.web.badges import state_badge, state_label
from app.web.context import current_actor, extension
from app.web.csrf import Csrf
from app.web.markdown import render as render_markdown
from app.web.request_id import request_id
from app.web.times import time_element

APP = Path(__file__).resolve().parent.parent


class Site:
    """What templates may say about the site."""

    name = "Scriptorium"

    def __init__(self, settings: Settings) -> None:
        self.public_url = settings.public_url


class _FormToken:
    """The form token, made when a template writes it, so that pages without forms set no cookie."""

    def __str__(self) -> str:
        return extension(Csrf).form_token()

    __html__ = __str__


class Renderer:
    """The environment of one application."""

    def __init__(self, settings: Settings) -> None:
        folders = [APP / "web" / "templates", *sorted(APP.glob("*/templates"))]
        self.environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.globals.update(
            site=Site(settings),
            asset=asset,
            integrity=integrity,
            url_for=url_for,
            time=lambda moment: time_element(moment, now()),
            markdown=render_markdown,
            state_badge=state_badge,
            state_label=state_label,
        )
        self.environment.filters.update(
            time=lambda moment: time_element(moment, now()), markdown=render_markdown, state_badge=state_badge
        )

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        """The template as HTML, with what every page needs."""
        actor = current_actor()
        return self.environment.get_template(template).render(
            {
                "actor": actor if actor.signed_in else None,
                "form_token": _FormToken(),
                "flashes": get_flashed_messages(with_categories=True),
                "request_id": request_id(),
                "path": request.path,
                **context,
            }
        )


async def render(template: str, **context: Any) -> str:
    """Render a template within a request."""
    return extension(Renderer).render(template, context)


async def page(template: str, status: int = 200, /, **context: Any) -> Response:
    """An HTML answer from a template."""
    return Response(await render(template, **context), status=status, mimetype="text/html")
