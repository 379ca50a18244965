"""Below ASGI: heads without end, heads that trickle, and bytes that are not HTTP at all."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest
from quart import Quart, request

from tests.web.servers import Server, read_answer

Serve = Callable[..., Server]


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.route("/", methods=["GET", "POST"])
    async def echo() -> str:
        return str(len(await request.get_data()))

    return app


@pytest.fixture
def server(serve: Serve, app: Quart) -> Server:
    return serve(app, head_seconds=0.5)


def head(server: Server, *lines: str) -> bytes:
    return "\r\n".join(("GET / HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *lines, "", "")).encode()


def closed(connection: socket.socket, within: float) -> bool:
    connection.settimeout(within)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize(
    "junk",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
     b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", b"GET / HTTP/1.1\nHost: x\r\n\x00: y\r\n\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_answered_with_our_headers(server: Server, junk: bytes) -> None:
    answer = server.raw(junk)
    assert answer.status == 400
    assert answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["connection"] == "close"
    assert "server" not in answer.headers


def test_a_head_without_end(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        sent = 0
        try:
            while sent < 4 * 1024 * 1024:
                sent += connection.send(b"a" * 8192)
                time.sleep(0.01)  # long enough for the server to have its say before the sockets hold so much
        except OSError:
            pass
        assert sent < 2 * 1024 * 1024


def test_a_large_head_at_once(server: Server) -> None:
    assert server.raw(head(server, "X: " + "a" * 60_000)).status == 431
    assert server.get("/").status == 200


def test_a_large_body_in_one_piece_with_its_head_is_no_large_head(server: Server) -> None:
    body = b"x" * 60_000
    for _ in range(5):
        assert server.get("/", "POST", body).body == b"60000"


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come(server: Server, start: bytes) -> None:
    started = time.monotonic()
    with server.connect() as connection:
        connection.sendall(start)
        if start:
            assert read_answer(connection).status == 408
        else:
            assert closed(connection, 8)
        assert 0.3 < time.monotonic() - started < 8  # it would be ten if nobody had said less


def test_a_head_that_trickles(server: Server) -> None:
    with server.connect() as connection:
        trickle, sent = head(server, "X: " + "a" * 120), 0
        try:
            for byte in trickle:
                sent += connection.send(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass
        assert sent < len(trickle)


def test_a_second_head_that_trickles_on_a_kept_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(server))
        assert read_answer(connection).status == 200
        connection.sendall(b"GET / HTTP/1.1\r\nHo")
        assert read_answer(connection).status == 408


def test_slow_work_and_kept_connections_are_left_alone(serve: Serve) -> None:
    app = Quart(__name__)

    @app.get("/")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "slept"

    server = serve(app, head_seconds=0.4)
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(head(server))
            assert read_answer(connection).status == 200
            time.sleep(0.6)


def test_requests_one_behind_the_other(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(server) * 3)
        received, until = b"", time.monotonic() + 10
        while received.count(b"HTTP/1.1 200") < 3:
            assert time.monotonic() < until
            received += connection.recv(100_000)
        assert received.count(b"HTTP/1.1 ") == 3
