"""Quart's HTTP connection with less work per request: one task instead of three, headers read once, one body message.

`asgi_http_class` is Quart's own place for this.  Kept are its order of events, its timeouts on bodies of unknown length,
and that a request whose client goes away is cancelled (`tests/web/test_connection.py` compares the two).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from quart import Request, Response
from quart.asgi import ASGIHTTPConnection, _handle_exception
from quart.utils import encode_headers
from quart.wrappers.response import DataBody

from app.web.bodyless import LEAVING, Leaving, announces_no_body, bodyless
from app.web.ready import RequestHeaders

# A body that fits into the server's write buffer is never waited for.
AT_ONCE: Final = 64 * 1024
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Connection(ASGIHTTPConnection):
    """One request and its answer."""

    async def __call__(self, receive: Receive, send: Send) -> None:
        leaving: Leaving | None = self.scope.get("state", {}).get(LEAVING)
        self._bodyless = leaving is not None and announces_no_body(cast(Any, self.scope["headers"]))
        request = self._create_request_from_scope(send)
        handler = asyncio.current_task()
        if leaving is not None and self._bodyless:
            await self._until_left(leaving, handler, request, send)
            return
        left = False

        async def watch() -> None:
            nonlocal left
            await self.handle_messages(request, receive)
            left = True
            if handler is not None:
                handler.cancel()

        watcher = asyncio.ensure_future(watch())
        try:
            await self.handle_request(request, send)
        except asyncio.CancelledError:
            if not left:
                raise
            if handler is not None:
                handler.uncancel()  # the client left, and nobody wants this task to end
        finally:
            await _ended(watcher)

    async def _until_left(
        self, leaving: Leaving, handler: asyncio.Task[Any] | None, request: Request, send: Send
    ) -> None:
        """Answer, unless the client leaves meanwhile."""
        if leaving.gone:
            return
        leaving.task = handler
        try:
            await self.handle_request(request, send)
        except asyncio.CancelledError:
            if not leaving.gone:
                raise
            if handler is not None:
                handler.uncancel()  # as below
        finally:
            leaving.task = None

    def _create_request_from_scope(self, send: Any) -> Request:
        """As Quart does it, without checking again what the server's parser has checked."""
        scope, config = self.scope, self.app.config
        if scope["http_version"] < "1.1":
            return super()._create_request_from_scope(send)
        pairs = [("Remote-Addr", (scope.get("client") or ["<local>"])[0])]
        pairs += [(name.decode("latin1").title(), value.decode("latin1")) for name, value in scope["headers"]]
        kind = bodyless(self.app.request_class) if self._bodyless else self.app.request_class
        return kind(
            scope["method"],
            scope["scheme"],
            scope["path"],
            scope["query_string"],
            RequestHeaders(pairs),
            scope.get("root_path", ""),
            scope["http_version"],
            max_content_length=config["MAX_CONTENT_LENGTH"],
            body_timeout=config["BODY_TIMEOUT"],
            send_push_promise=partial(self._send_push_promise, send),
            scope=scope,
        )

    async def handle_request(self, request: Request, send: Any) -> None:
        """Answer; what is short and whole goes out in one piece, everything else as Quart sends it."""
        try:
            response = await self.app.handle_request(request)
        except Exception as error:  # noqa: BLE001 - the framework's own last edge, as in the class above this one
            response = await _handle_exception(self.app, error)
        body = response.response if isinstance(response, Response) else None
        if type(body) is DataBody and body.end - body.begin <= AT_ONCE:
            whole = cast(Response, response)
            start = {"status": whole.status_code, "headers": encode_headers(whole.headers)}
            await send({"type": "http.response.start", **start})
            await send({"type": "http.response.body", "body": body.data[body.begin : body.end], "more_body": False})
            return
        given = response.timeout if isinstance(response, Response) else Ellipsis
        limit = self.app.config["RESPONSE_TIMEOUT"] if given is Ellipsis else given
        try:
            async with asyncio.timeout(cast(float | None, limit)):
                await self._send_response(send, response)
        except TimeoutError:
            pass


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancel a task and wait until it has noticed; what it raised before is raised here."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
