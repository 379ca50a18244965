"""Errors on both faces, the header overrides of routes, and where people are sent after signing in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from quart import Quart, abort

from app import errors
from app.web import error_pages
from app.web.faces import for_programs
from app.web.headers import declared_overrides, response_headers
from app.web.local_path import local_path
from tests.web.servers import Server

SECRET = "postgresql://kim:sesame@db"

RAISED: dict[str, tuple[Exception, int, str]] = {
    "invalid": (errors.Invalid({"title": ["This is needed."]}), 422, "invalid"),
    "unknown": (errors.NotAuthenticated("Missing Authorization Header", challenge="Bearer"), 401, "not_authenticated"),
    "forbidden": (errors.Forbidden(staff="the real reason"), 403, "forbidden"),
    "missing": (errors.NotFound(), 404, "not_found"),
    "conflict": (errors.Conflict(), 409, "conflict"),
    "stale": (errors.Stale(current=7), 412, "stale"),
    "throttled": (errors.Throttled(retry_after=9), 429, "too_many_requests"),
    "away": (errors.Unavailable(retry_after=4), 503, "unavailable"),
    "broken": (RuntimeError(SECRET), 500, "internal_error"),
    "timeout": (TimeoutError(SECRET), 503, "unavailable"),
    "validation": (msgspec.ValidationError("Expected `str`, got `int`"), 422, "invalid"),
    "decode": (msgspec.DecodeError("invalid"), 400, "malformed"),
}


def make_app(render: Any = None) -> Quart:
    app = Quart(__name__)

    @app.route("/page/<kind>", methods=["GET", "POST"])
    @app.route("/api/v1/<kind>", methods=["GET", "POST"])
    async def fail(kind: str) -> str:
        if kind.isdigit():
            abort(int(kind))
        if kind == "cancelled":
            raise asyncio.CancelledError
        raise RAISED[kind][0]

    @app.get("/api/v1/only-get")
    @app.get("/page/only-get")
    async def only_get() -> str:
        return "read"

    @app.get("/charts")
    @response_headers(csp={"img-src": "'self' data:", "frame-src": ""}, cross_origin_resource_policy="cross-origin")
    async def charts() -> tuple[str, int]:
        return "drawn", 201

    @app.get("/charts/broken")
    @response_headers(csp={"img-src": "*"})
    async def broken_charts() -> str:
        raise errors.NotFound

    async def page(template: str, **context: Any) -> str:
        assert template == "error.html"
        return f"<h1>{context['status']} {context['title']}</h1>{context['request_id']}"

    error_pages.install(app, render or page)
    return app


@pytest.mark.parametrize("kind", RAISED)
async def test_programs_get_problem_documents(kind: str) -> None:
    error, status, code = RAISED[kind]
    answer = await make_app().test_client().get(f"/api/v1/{kind}")
    text = (await answer.get_data(as_text=False)).decode()
    problem = json.loads(text)
    assert answer.status_code == problem["status"] == status
    assert answer.content_type == "application/problem+json"
    assert problem["code"] == code
    assert {"type", "title", "detail", "request_id"} <= set(problem)
    assert "sesame" not in text
    assert "Traceback" not in text
    assert "real reason" not in text
    if isinstance(error, errors.Throttled | errors.Unavailable):
        assert answer.headers.getlist("Retry-After") == [str(error.retry_after)]
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert problem["detail"] == "Missing Authorization Header"
    if kind == "invalid":
        assert problem["errors"] == {"title": ["This is needed."]}


@pytest.mark.parametrize("kind", [kind for kind in RAISED if kind != "unknown"])
async def test_people_get_pages(kind: str) -> None:
    _, status, _ = RAISED[kind]
    answer = await make_app().test_client().get(f"/page/{kind}")
    text = (await answer.get_data(as_text=False)).decode()
    assert answer.status_code == status
    assert answer.content_type == "text/html; charset=utf-8"
    assert f"<h1>{status}" in text
    assert "sesame" not in text


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 410, 413, 415, 418, 429, 500, 501, 503])
async def test_aborts_of_any_status(status: int) -> None:
    web = make_app().test_client()
    program, person = await web.get(f"/api/v1/{status}"), await web.get(f"/page/{status}")
    assert program.status_code == person.status_code == status
    assert json.loads(await program.get_data())["status"] == status
    assert person.content_type == "text/html; charset=utf-8"


async def test_unknown_addresses_and_methods() -> None:
    web = make_app().test_client()
    for path in ("/api", "/api/nope", "/oauth/nope", "/.well-known/nope", "/protected/x", "/health/x"):
        answer = await web.get(path)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), path
    for path in ("/nope", "/apis", "/oauth/authorize"):
        answer = await web.get(path)
        assert (answer.status_code, answer.content_type) == (404, "text/html; charset=utf-8"), path
    for path in ("/api/v1/only-get", "/page/only-get"):
        answer = await web.delete(path)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


async def test_people_who_are_not_signed_in_are_sent_there_and_back() -> None:
    web = make_app().test_client()
    answer = await web.get("/page/unknown?a=1&b=c%2Fd")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=/page/unknown%3Fa%3D1%26b%3Dc%252Fd"
    headers = {"Host": "localhost", "Referer": "http://localhost/editor/documents/1"}
    answer = await web.post("/page/unknown", headers=headers)
    assert answer.headers["Location"] == "/login?next=/editor/documents/1"
    answer = await web.post("/page/unknown", headers={"Host": "localhost", "Referer": "http://evil.example/x"})
    assert answer.headers["Location"] == "/login"


async def test_a_page_that_cannot_be_drawn_is_still_answered() -> None:
    async def render(template: str, **context: Any) -> str:
        raise RuntimeError(SECRET)

    answer = await make_app(render).test_client().get("/page/missing")
    text = (await answer.get_data(as_text=False)).decode()
    assert answer.status_code == 404
    assert "There is nothing here" in text
    assert "sesame" not in text


async def test_routes_may_change_headers_beside_themselves() -> None:
    app = make_app()
    answer = await app.test_client().get("/charts")
    assert answer.status_code == 201
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "script-src 'self'" in policy
    assert "frame-src" not in policy
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    stamp = declared_overrides(app.view_functions["charts"])
    assert stamp is not None
    assert stamp.headers["content-security-policy"] == policy
    assert declared_overrides(app.view_functions["only_get"]) is None
    refused = await app.test_client().get("/charts/broken")
    assert "Content-Security-Policy" not in refused.headers  # the guard adds the strict one


def test_the_guard_keeps_what_a_route_declared(serve: Callable[..., Server]) -> None:
    server = serve(make_app())
    assert "data:" in server.get("/charts").headers["content-security-policy"]
    assert server.get("/charts").headers["x-frame-options"] == "DENY"
    refused = server.get("/charts/broken")
    assert "img-src 'self';" in refused.headers["content-security-policy"]
    problem = json.loads(server.get("/api/nope").body)
    assert problem["request_id"] == server.get("/api/nope").headers["x-request-id"] or problem["request_id"]


@pytest.mark.parametrize("path", ["/", "/entry", "/entry/1?x=1&y=2", "/a%20b", "/caf%C3%A9", "/x?next=/y"])
def test_our_own_paths(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "entry", "//evil", "///evil", "/\\evil", "\\/evil", "https:evil", "https://evil",
     "/%2f%2fevil", "/%2Fevil", "/%5cevil", "/%255cevil", "/\t/evil", "/\n/evil", "/%0a/evil", "/%09/evil",
     "javascript:alert(1)", "/x\r\nSet-Cookie:a", "/x%0d%0aSet-Cookie:a", "//evil@127.0.0.1", "/.//evil",
     "/a//b", "http:/evil", "/\u2028", "/%00", "/" + "a" * 3000],
)  # fmt: skip
def test_paths_that_lead_or_might_lead_elsewhere(path: str | None) -> None:
    assert local_path(path) is None


def test_the_faces() -> None:
    assert all(map(for_programs, ("/api", "/api/v1/x", "/oauth/token", "/protected", "/protected_data", "/metrics")))
    assert not any(map(for_programs, ("/", "/apiary", "/docs", "/console", "/oauth/authorize", "/protectedx")))
