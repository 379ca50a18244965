"""Quart with less work per request: what is the same for every request of an endpoint is found out once.

Stock Quart asks of every hook at every request whether it is a coroutine function, gathers the hooks of each blueprint,
binds the routing map to the host, and sends six signals to nobody: a third of what a short answer costs.  Everything
overridden here is a public method of `Quart`, and does what it does there (`tests/web/test_lean.py` compares the two).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from quart import Quart, Request, Response
from quart.ctx import RequestContext
from quart.globals import _cv_request
from quart.routing import _normalise_host
from quart.signals import request_finished, request_started, request_tearing_down
from quart.typing import ResponseReturnValue, ResponseTypes
from quart.wrappers import BaseRequestWebsocket
from werkzeug.exceptions import BadHost
from werkzeug.routing import Map, MapAdapter

Hook = Callable[..., Awaitable[Any]]
R = TypeVar("R")


class Plan:
    """What is done for each request of one endpoint, in order; hooks are there before the first of them."""

    __slots__ = ("after", "before", "teardown", "values", "view")

    def __init__(self, app: Quart, endpoint: str | None) -> None:
        names = _blueprints(endpoint)
        outwards, inwards = [*names, None], [None, *reversed(names)]
        view = app.view_functions.get(endpoint) if endpoint is not None else None
        self.view: Hook | None = app.ensure_async(view) if view is not None else None
        self.values = tuple(hook for name in inwards for hook in app.url_value_preprocessors.get(name, ()))
        self.before: tuple[Hook, ...] = tuple(
            app.ensure_async(hook) for name in inwards for hook in app.before_request_funcs.get(name, ())
        )
        self.after: tuple[Hook, ...] = tuple(
            app.ensure_async(hook) for name in outwards for hook in reversed(app.after_request_funcs.get(name, ()))
        )
        self.teardown: tuple[Hook, ...] = tuple(
            app.ensure_async(hook) for name in outwards for hook in reversed(app.teardown_request_funcs.get(name, ()))
        )


@lru_cache(maxsize=256)
def _server_name(scheme: str, host: str) -> str:
    """The host as absolute URLs name it; sites have few names, so it is looked at once for each."""
    name, colon, port = _normalise_host(scheme, host.lower()).partition(":")
    try:
        return f"{name.encode('idna').decode('ascii')}{colon}{port}"
    except UnicodeError:
        raise BadHost from None


class RequestAdapter(MapAdapter):
    """The routing map bound to one request."""

    def __init__(self, routes: Map, request: BaseRequestWebsocket) -> None:
        # Not by the constructor above: it wants the host as a text.
        self.map = routes
        self.server_name = _server_name(request.scheme, request.headers.get("Host") or request.host)
        root: str = request.root_path
        self.script_name = root if root.endswith("/") else root + "/"
        self.subdomain = ""
        self.url_scheme: str = request.scheme
        self.path_info: str = request.path
        self.default_method: str = request.method
        self.query_args: str = request.query_string.decode()
        self.websocket = self.url_scheme in ("ws", "wss")


class LeanQuart(Quart):
    """The application class; answers as Quart does."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._plans: dict[str | None, Plan] = {}

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        if request is None or self.url_map.host_matching or self.subdomain_matching or self.config["SERVER_NAME"]:
            return super().create_url_adapter(request)
        return RequestAdapter(self.url_map, request)

    async def full_dispatch_request(self, request_context: RequestContext | None = None) -> ResponseTypes:
        context = _present(request_context)
        try:
            if request_started.receivers:
                await request_started.send_async(self, _sync_wrapper=self.ensure_async)  # type: ignore[arg-type]  # Quart's own call
            result: Any = await self.preprocess_request(context)
            if result is None:
                result = await self.dispatch_request(context)
        except Exception as error:  # noqa: BLE001 - the framework's own place for every error of a view
            result = await self.handle_user_exception(error)
        return await self.finalize_request(result, context)

    async def preprocess_request(self, request_context: RequestContext | None = None) -> ResponseReturnValue | None:
        context = _present(request_context)
        plan = self._plan(context)
        for preprocess in plan.values:
            preprocess(context.request_websocket.endpoint, context.request_websocket.view_args)
        for hook in plan.before:
            result: ResponseReturnValue | None = await hook()
            if result is not None:
                return result
        return None

    async def dispatch_request(self, request_context: RequestContext | None = None) -> ResponseReturnValue:
        context = _present(request_context)
        request = cast(Request, context.request_websocket)
        if request.routing_exception is not None or request.method == "OPTIONS":
            return await super().dispatch_request(context)
        view = self._plan(context).view
        if view is None:
            return await super().dispatch_request(context)
        return cast(ResponseReturnValue, await view(**(request.view_args or {})))

    async def finalize_request(
        self,
        result: Any,
        request_context: RequestContext | None = None,
        from_error_handler: bool = False,
    ) -> ResponseTypes:
        if from_error_handler or request_finished.receivers or type(result) is not Response:
            return await super().finalize_request(result, request_context, from_error_handler)
        return await self.process_response(result, request_context)

    async def process_response(
        self, response: ResponseTypes, request_context: RequestContext | None = None
    ) -> ResponseTypes:
        context = _present(request_context)
        for function in context._after_request_functions:  # noqa: SLF001 - as the method above this one does
            response = await self.ensure_async(function)(response)
        for hook in self._plan(context).after:
            response = await hook(response)
        if not self.session_interface.is_null_session(context.session):
            await self.ensure_async(self.session_interface.save_session)(
                self,
                context.session,  # never None once the context was entered
                response,
            )
        return response

    async def do_teardown_request(
        self, exc: BaseException | None, request_context: RequestContext | None = None
    ) -> None:
        for hook in self._plan(_present(request_context)).teardown:
            await hook(exc)
        if request_tearing_down.receivers:
            await request_tearing_down.send_async(self, _sync_wrapper=self.ensure_async, exc=exc)  # type: ignore[arg-type]  # as above

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        return func if iscoroutinefunction(func) else super().ensure_async(func)

    def _plan(self, context: RequestContext) -> Plan:
        rule = context.request_websocket.url_rule
        endpoint = None if rule is None else rule.endpoint
        plan = self._plans.get(endpoint)
        if plan is None:
            plan = self._plans[endpoint] = Plan(self, endpoint)
        return plan


def _present(context: RequestContext | None) -> RequestContext:
    return _cv_request.get() if context is None else context


def _blueprints(endpoint: str | None) -> list[str]:
    """The blueprints around an endpoint, the innermost first."""
    names: list[str] = []
    while endpoint is not None and "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        names.append(endpoint)
    return names
