"""Errors as people read them, and the one place where every error of either face is caught."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import quote

import structlog
from msgspec import DecodeError, ValidationError
from quart import Quart, Request, Response, Websocket, has_request_context, redirect, request, websocket
from quart.typing import ResponseTypes
from werkzeug.exceptions import HTTPException, InternalServerError

from app.errors import DomainError, Invalid, NotAuthenticated, Unavailable
from app.web.context import settings
from app.web.faces import for_programs, is_oauth
from app.web.file_origin import on_file_origin
from app.web.kept_text import kept_page, sent_again
from app.web.local_path import local_path, referring_path
from app.web.noticing import notice_refusal
from app.web.parsing import Malformed
from app.web.problems import from_http, headers_of, problem
from app.web.refusals import BROKEN, PAGE_TYPE, Refusal, page_body
from app.web.request_id import request_id
from app.web.shapes import in_plain_words

log = structlog.get_logger(__name__)

Render = Callable[..., Awaitable[Any]]
OAuthForm = Callable[[DomainError], ResponseTypes]

TEMPLATE = "error.html"
SIGN_IN = "/login"


class ErrorPages:
    """Answers errors: problem documents under the API, pages in the site's style elsewhere.

    `oauth_form`, when set, answers errors of the OAuth endpoints in the form of RFC 6749 5.2.
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self.oauth_form: OAuthForm | None = None

    def register(self, app: Quart) -> None:
        """Catch every error of `app`."""
        app.register_error_handler(DomainError, self.on_domain_error)
        app.register_error_handler(HTTPException, self.on_http_exception)
        app.register_error_handler(ValidationError, self.on_validation_error)
        app.register_error_handler(DecodeError, self.on_decode_error)
        app.register_error_handler(UnicodeDecodeError, self.on_decode_error)
        app.register_error_handler(TimeoutError, self.on_timeout)
        app.register_error_handler(Exception, self.on_unexpected)

    async def on_domain_error(self, error: DomainError) -> ResponseTypes:
        """A refusal that was meant."""
        return await self._answer(error, error)

    async def on_http_exception(self, error: HTTPException) -> ResponseTypes:
        """What Quart and Werkzeug refuse: unknown addresses, methods, bodies; and `abort` anywhere."""
        if error.response is not None:
            return cast(ResponseTypes, error.response)
        if isinstance(error, InternalServerError) and error.original_exception is not None:
            return await self.on_unexpected(error.original_exception)
        return await self._answer(from_http(error), error)

    async def on_validation_error(self, error: ValidationError) -> ResponseTypes:
        """A struct that did not take a value: the route let it through unread, so only the sentence is known."""
        said = Invalid({"": [in_plain_words(str(error))]})
        return await self._answer(said, said)

    async def on_decode_error(self, error: Exception) -> ResponseTypes:
        """Bytes that are not what they claim to be."""
        log.info("request.undecodable", **_about_request(), error=type(error).__name__)
        said = Malformed("The request cannot be read.")
        return await self._answer(said, said)

    async def on_timeout(self, error: Exception) -> ResponseTypes:
        """Something we wait for did not answer in time."""
        log.warning("request.timeout", **_about_request(), error=type(error).__name__)
        said = Unavailable("This took too long. Try again shortly.")
        return await self._answer(said, said)

    async def on_unexpected(self, error: BaseException) -> ResponseTypes:
        """A fault of ours: written down once, in one line, and told to nobody."""
        log.error("request.failed", **_about_request(), exc_info=error)
        said = from_http(InternalServerError())
        return await self._answer(said, said)

    async def _answer(self, said: DomainError, error: DomainError | HTTPException) -> ResponseTypes:
        notice_refusal(said)
        if on_file_origin():
            return _with_headers(_bare(said, settings().public_url), headers_of(error))
        path = _current().path
        if self.oauth_form is not None and is_oauth(path):
            form = cast(Response, self.oauth_form(said))
            for name, value in headers_of(error).items():
                form.headers.setdefault(name, value)  # a 405 without Allow says too little (RFC 9110 15.5.6)
            return form
        if for_programs(path):
            return _with_headers(problem(said, request_id()), headers_of(error))
        if isinstance(said, NotAuthenticated) and not (has_request_context() and await sent_again()):
            return redirect(_sign_in_address(), 303)
        return _with_headers(await self._page(said), headers_of(error))

    async def _page(self, said: DomainError) -> Response:
        known = {
            "status": said.status,
            "title": said.title,
            "detail": said.detail,
            "code": said.code,
            "errors": said.errors if isinstance(said, Invalid) else {},
            "retry_after": getattr(said, "retry_after", None),
            "request_id": request_id(),
        }
        try:
            kept = await kept_page(said) if has_request_context() else None
            body = kept or await self._render(TEMPLATE, **known)
        except Exception:
            # The page about an error must not fail for the reason that the error had.
            log.exception("error_page.failed", **_about_request())
            return _bare(said)
        if isinstance(body, Response):
            body.status_code = said.status
            return body
        return Response(body, said.status, content_type=PAGE_TYPE)


def install(app: Quart, render: Render) -> ErrorPages:
    """Have every error of `app` answered; `render(template, **context)` makes the pages."""
    pages = ErrorPages(render)
    pages.register(app)
    return pages


def _bare(said: DomainError, home: str = "") -> Response:
    """The page that needs nothing of the site, which may be elsewhere."""
    shown = BROKEN if said.status == BROKEN.status else Refusal(said.status, said.code, said.title, said.detail)
    return Response(page_body(shown, request_id(), home), said.status, content_type=PAGE_TYPE)


def _with_headers(response: Response, headers: dict[str, str]) -> Response:
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _sign_in_address() -> str:
    """Where to sign in, and back: to the page asked for, or to the page whose form was sent."""
    if not has_request_context():
        return SIGN_IN
    if request.method in ("GET", "HEAD"):
        query = request.query_string.decode("latin-1")
        target = local_path(quote(request.path) + (f"?{query}" if query else ""))
    else:
        target = referring_path()
    return f"{SIGN_IN}?next={quote(target, safe='/')}" if target else SIGN_IN


def _current() -> Request | Websocket:
    return request if has_request_context() else websocket


def _about_request() -> dict[str, str]:
    current = _current()
    method = current.method if isinstance(current, Request) else "WEBSOCKET"
    return {"request_id": request_id(), "method": method, "path": quote(current.path)}
