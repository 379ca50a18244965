"""Makes the application: the edge around the routes, and what is opened at start and closed at stop."""

from __future__ import annotations

import ssl
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from quart import Quart, Response, request
from quart.typing import ResponseTypes
from valkey.asyncio import Valkey
from valkey.credentials import CredentialProvider

from app import identity, opening, routes
from app.errors import NotActive, NotFresh
from app.live import telling
from app.memory import return_large_blocks
from app.oauth.api import oauth_problem
from app.settings import Settings
from app.vault.broker import source_for
from app.vault.snapshot import SecretSource
from app.watch.recorder import Watch
from app.web import cookies, cors, error_pages, representation
from app.web.asgi import ASGIApp
from app.web.assets import STATIC, static_view
from app.web.connection import Connection
from app.web.context import current_actor, extension
from app.web.csrf import Csrf
from app.web.current import this_request
from app.web.faces import for_programs
from app.web.guard import Guard
from app.web.kept_text import kept_page, sent_again
from app.web.limits import Limiter, named_limit
from app.web.local_path import local_path
from app.web.problems import problem
from app.web.redirects import see_other
from app.web.render import Renderer, render
from app.web.repeating import RepeatingQuart
from app.web.request_id import request_id
from app.web.steps import StepMissing
from app.web.uploads import UploadingRequest

# The forms of visitors: a token from before a sign-in in another tab is good enough there.
VISITOR_FORMS = frozenset({"/login", "/register", "/signupsponsor", "/signupeditor"})
LARGEST_BODY = 6 * 1024 * 1024
STATIC_FOR = 365 * 86400


def create_app(settings: Settings, source: SecretSource | None = None) -> Quart:
    """The application over these settings.

    `source` is where secrets come from; left out, one worker talks to Vault itself and more share the broker.
    """
    return_large_blocks()
    app = RepeatingQuart("app", static_folder=str(STATIC), static_url_path="/static", template_folder=None)
    app.asgi_http_class = Connection
    app.url_map.strict_slashes = False
    app.request_class = UploadingRequest
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(seconds=STATIC_FOR),
        TRAP_HTTP_EXCEPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    watch = app.extensions[Watch.__name__] = Watch()
    secrets = source or source_for(settings)
    valkey = _valkey(settings, secrets)
    cookies.install(app, settings)
    identity.install(app)
    _limits(app, settings, valkey)
    _forms(app, settings, secrets)
    app.extensions["Renderer"] = Renderer(settings)
    error_pages.install(app, render).oauth_form = oauth_problem
    app.view_functions["static"] = static_view(app)
    app.register_error_handler(NotActive, _not_active)
    app.register_error_handler(NotFresh, _not_fresh)
    app.register_error_handler(StepMissing, _step_missing)
    representation.install(app)
    cors.install(app, settings)
    telling.install(app)
    routes.mount(app)
    opening.install(app, settings, secrets, valkey)
    inner = cast(ASGIApp, app.asgi_app)
    app.asgi_app = Guard(inner, settings, watch=watch)  # type: ignore[assignment,method-assign]  # the documented way to wrap it
    return app


def _valkey(settings: Settings, secrets: SecretSource) -> Valkey:
    """A client whose password is read at each new connection, so that it may turn."""

    class Credentials(CredentialProvider):
        def get_credentials(self) -> tuple[str]:
            return (secrets.snapshot.valkey_password,)

        async def get_credentials_async(self) -> tuple[str]:
            return self.get_credentials()

    options: dict[str, Any] = {}
    if settings.valkey_tls == "on":
        options = {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        options["ssl_min_version"] = ssl.TLSVersion.TLSv1_2
        if settings.valkey_ca:
            options["ssl_ca_certs"] = str(settings.valkey_ca)
    return Valkey(
        host=settings.valkey_host,
        port=settings.valkey_port,
        credential_provider=Credentials(),
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        **options,
    )


@lru_cache(maxsize=4096)
def _person(person_id: UUID) -> str:
    return f"person:{person_id}"


def _limits(app: Quart, settings: Settings, valkey: Valkey) -> None:
    async def by_caller() -> str:
        actor = current_actor()
        return _person(actor.id) if actor.id is not None else f"address:{actor.address}"

    limiter = Limiter(
        settings,
        lambda: valkey,
        callers={"caller": by_caller},
        pages=[named_limit("PAGES")],
        programs=[named_limit("API", by="caller")],
    )
    limiter.init_app(app)
    app.extensions["Limiter"] = limiter


def _forms(app: Quart, settings: Settings, secrets: SecretSource) -> None:
    """Every unsafe request to a page must come from a page of ours."""

    def session() -> str | None:
        session_id = current_actor().session_id
        return None if session_id is None else str(session_id)

    app.extensions["Csrf"] = Csrf(settings, lambda: secrets.snapshot.rings["csrf"], session)

    async def check_form() -> None:
        asked = this_request()
        if asked.routing_exception is None and not for_programs(asked.path):
            await extension(Csrf).check(asked, visitor_form=asked.path.rstrip("/") in VISITOR_FORMS)

    app.before_request(check_form)


async def _not_active(error: NotActive) -> ResponseTypes:
    """Pending, declined and suspended people: programs get 403, browsers the page that says how things stand."""
    if for_programs(request.path):
        answer: Response = problem(error, request_id())
        return answer
    kept = await kept_page(error) if await sent_again() else None
    return kept or await see_other("/account/status")


async def _not_fresh(error: NotFresh) -> ResponseTypes:
    """Who signed in too long ago: programs get 403, browsers are asked for the password and then go on."""
    if for_programs(request.path):
        answer: Response = problem(error, request_id())
        return answer
    target = local_path(quote(request.path) + (f"?{request.query_string.decode('latin-1')}" if request.args else ""))
    return await see_other(f"/account/confirm?next={quote(target or '/account', safe='/')}")


async def _step_missing(error: StepMissing) -> ResponseTypes:
    """Whoever comes to a later step first is led to where the steps begin."""
    return await see_other(error.begin, error.detail, "info")
