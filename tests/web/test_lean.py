"""The lean application beside Quart's own: hooks in the same order, the same answers, the same signals."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Blueprint, Quart, Response, abort, after_this_request, g, request, session, url_for
from quart.signals import request_finished, request_started, request_tearing_down

from app.web.lean import LeanQuart

KINDS: tuple[type[Quart], ...] = (Quart, LeanQuart)


def build(kind: type[Quart]) -> tuple[Quart, list[str]]:  # noqa: C901 - routes and hooks, one after the other
    """An application with hooks at every level, and what happened in it."""
    app, told = kind("lean"), list[str]()
    app.secret_key = b"made for this test only"
    outer, inner = Blueprint("outer", "outer", url_prefix="/outer"), Blueprint("inner", "inner", url_prefix="/inner")

    def hooks(of: Any, name: str) -> None:
        async def before() -> Any:
            told.append(f"before {name}")
            return "stopped" if request.args.get("stop") == name else None

        async def after(response: Response) -> Response:
            told.append(f"after {name}")
            response.headers["X-After"] = response.headers.get("X-After", "") + name
            return response

        async def teardown(error: BaseException | None) -> None:
            told.append(f"teardown {name} {type(error).__name__}")

        of.before_request(before)
        of.after_request(after)
        of.teardown_request(teardown)

    hooks(app, "app")
    hooks(outer, "outer")
    hooks(inner, "inner")

    @app.url_value_preprocessor
    def note(endpoint: str | None, values: dict[str, Any] | None) -> None:
        told.append(f"values {endpoint} {values}")

    @inner.get("/<int:number>")
    async def show(number: int) -> dict[str, Any]:
        @after_this_request
        async def once(response: Any) -> Any:
            told.append("once")
            return response

        g.number = number
        return {"number": g.number, "blueprints": request.blueprints, "out": url_for(".show", number=2, _external=True)}

    @outer.post("/counted")
    async def counted() -> tuple[str, int, dict[str, str]]:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"]), 201, {"X-Own": "1"}

    @app.get("/sync")
    def sync() -> str:
        return "in a thread"

    @app.get("/ready")
    async def ready() -> Response:
        return Response(b"ready", content_type="text/plain")

    @app.get("/gone")
    async def gone() -> str:
        abort(410)

    @app.get("/boom")
    async def boom() -> str:
        raise ValueError

    @app.get("/slash/")
    async def slash() -> str:
        return "slash"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.disabled = True
    return app, told


ASKED = [
    ("GET", "/outer/inner/7"),
    ("GET", "/outer/inner/7?stop=app"),
    ("GET", "/outer/inner/7?stop=outer"),
    ("GET", "/outer/inner/7?stop=inner"),
    ("HEAD", "/outer/inner/7"),
    ("OPTIONS", "/outer/inner/7"),
    ("PUT", "/outer/inner/7"),
    ("POST", "/outer/counted"),
    ("GET", "/sync"),
    ("GET", "/ready"),
    ("GET", "/gone"),
    ("GET", "/boom"),
    ("GET", "/slash"),
    ("GET", "/nowhere"),
]


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_both_do_the_same(method: str, path: str) -> None:
    found = []
    for kind in KINDS:
        app, told = build(kind)
        client: Any = app.test_client()
        for _ in range(2):  # the second time from what was found out the first time
            answer = await client.open(path, method=method)
            head = sorted((name, value) for name, value in answer.headers.items() if name != "Set-Cookie")
            told.append(f"{answer.status_code} {head} {await answer.get_data()!r} {'Set-Cookie' in answer.headers}")
        found.append(told)
    assert found[0] == found[1]
    assert found[0]


async def test_signals_are_sent_to_whoever_listens() -> None:
    app, _ = build(LeanQuart)
    heard: list[str] = []

    async def started(sender: Quart, **_: Any) -> None:
        heard.append("started")

    async def finished(sender: Quart, response: Response, **_: Any) -> None:
        heard.append(f"finished {response.status_code}")

    async def ended(sender: Quart, **_: Any) -> None:
        heard.append("ended")

    with (
        request_started.connected_to(started, app),
        request_finished.connected_to(finished, app),
        request_tearing_down.connected_to(ended, app),
    ):
        await app.test_client().get("/ready")
    await app.test_client().get("/ready")
    assert heard == ["started", "finished 200", "ended"]
