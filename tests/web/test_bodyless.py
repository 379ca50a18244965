"""Requests without a body on our own server: no task watches for the client, and yet its leaving ends the request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from quart import Quart, request

from app.web.bodyless import LEAVING, Leaving, announces_no_body
from app.web.connection import Connection
from tests.web.servers import Server, read_answer

Serve = Callable[..., Server]


@pytest.fixture
def fates() -> list[str]:
    return []


@pytest.fixture
def server(serve: Serve, fates: list[str]) -> Server:
    app = Quart(__name__)
    app.asgi_http_class = Connection

    @app.route("/slow", methods=["GET", "POST"])
    async def slow() -> str:
        fates.append("begun")
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            fates.append("cancelled")
            raise
        return ""

    @app.route("/tasks", methods=["GET", "POST"])
    async def tasks() -> dict[str, object]:
        return {
            "tasks": len(asyncio.all_tasks()),
            "body": str(await request.get_data(as_text=True)),
            "form": await request.form,
        }

    return serve(app)


def waited(fates: list[str], fate: str) -> bool:
    until = time.monotonic() + 5
    while fate not in fates and time.monotonic() < until:
        time.sleep(0.01)
    return fate in fates


@pytest.mark.parametrize(
    "body", [b"", b"Content-Length: 0\r\n", b"Content-Length: 5\r\n"], ids=["none", "empty", "some"]
)
def test_a_client_that_leaves_ends_its_request(server: Server, fates: list[str], body: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n" % (server.port, body))
        assert waited(fates, "begun")
    assert waited(fates, "cancelled")
    assert server.get("/tasks").status == 200


def test_a_request_without_a_body_takes_no_second_task(server: Server) -> None:
    # Without: the server's own and this one.  With a body: one more, which receives it.
    with_none, with_some = server.get("/tasks").body, server.get("/tasks", "POST", b"ink").body
    assert b'"body":""' in with_none
    assert b'"body":"ink"' in with_some
    assert with_none.split(b'"tasks":')[1] < with_some.split(b'"tasks":')[1]


def test_requests_follow_each_other_on_one_connection(server: Server) -> None:
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(b"GET /tasks HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
            assert read_answer(connection).status == 200


@pytest.mark.parametrize(
    ("headers", "none"),
    [
        ([(b"host", b"x")], True),
        ([(b"content-length", b"0")], False),
        ([(b"transfer-encoding", b"chunked")], False),
    ],
)
def test_what_announces_no_body(headers: list[tuple[bytes, bytes]], none: bool) -> None:
    assert announces_no_body(headers) is none


async def test_one_that_left_before_it_was_heard_is_not_answered() -> None:
    app = Quart(__name__)
    leaving = Leaving()
    leaving.happened()
    scope = {"type": "http", "headers": [], "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/",
             "query_string": b"", "state": {LEAVING: leaving}}  # fmt: skip
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> object:
        raise AssertionError("there is nothing to receive")

    await Connection(app, scope)(receive, send)  # type: ignore[arg-type]  # a scope by hand
    assert sent == []
