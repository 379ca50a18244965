"""The lean connection beside Quart's own: the same requests, the same answers, the same end when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from quart import Quart, Response, request
from quart.asgi import ASGIHTTPConnection

from app.web.connection import AT_ONCE, Connection

KINDS: tuple[type[ASGIHTTPConnection], ...] = (ASGIHTTPConnection, Connection)


def build(kind: type[ASGIHTTPConnection]) -> tuple[Quart, list[str]]:  # noqa: C901 - routes, one after the other
    """An application with one route of each nature, and what became of the slow one."""
    app, fates = Quart("connections"), list[str]()
    app.asgi_http_class = kind
    app.config.update(MAX_CONTENT_LENGTH=100, PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True

    @app.get("/short")
    async def short() -> dict[str, int]:
        return {"a": 1}

    @app.get("/long")
    async def long() -> str:
        return "x" * (AT_ONCE + 1)

    @app.get("/empty")
    async def empty() -> tuple[str, int]:
        return "", 204

    @app.post("/length")
    async def length() -> dict[str, int]:
        return {"n": len(await request.get_data(as_text=False))}

    @app.get("/boom")
    async def boom() -> str:
        raise ValueError

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(3):
                yield f"{number}\n".encode()

        return Response(parts(), content_type="text/plain")

    @app.get("/headers")
    async def headers() -> dict[str, Any]:
        return {
            "twice": request.headers.getlist("X-A"),
            "address": request.remote_addr,
            "cookie": request.cookies.get("c"),
            "names": sorted(name for name, _ in request.headers),
        }

    @app.get("/slow")
    async def slow() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            fates.append("cancelled")
            raise
        fates.append("finished")
        return ""

    return app, fates


async def ask(
    app: Quart,
    method: str,
    path: str,
    headers: Sequence[tuple[bytes, bytes]] = (),
    chunks: Sequence[bytes] = (b"",),
    *,
    leave_after: float | None = None,
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """One request; status, headers and body, or zeros when nothing was sent."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(3600 if leave_after is None else leave_after)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "server": ("x", 80), "client": ("192.0.2.1", 1),
        "scheme": "http", "method": method, "root_path": "", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"host", b"x"), *headers],
    }  # fmt: skip
    await app(scope, receive, send)
    if not sent:
        return 0, [], b""
    assert sent[-1].get("more_body", False) is False
    return sent[0]["status"], sorted(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


ASKED: list[tuple[Any, ...]] = [
    ("GET", "/short"),
    ("HEAD", "/short"),
    ("OPTIONS", "/short"),
    ("PUT", "/short"),
    ("GET", "/long"),
    ("GET", "/empty"),
    ("GET", "/nowhere"),
    ("GET", "/boom"),
    ("GET", "/stream"),
    ("HEAD", "/stream"),
    ("GET", "/headers", [(b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"c=d"), (b"remote-addr", b"203.0.113.9")]),
    ("POST", "/length", [(b"content-length", b"4")], (b"ab", b"cd")),
    ("POST", "/length", [(b"transfer-encoding", b"chunked")], (b"ab", b"cd", b"")),
    ("POST", "/length", [(b"content-length", b"200")], (b"x" * 200,)),
    ("POST", "/length", [(b"transfer-encoding", b"chunked")], (b"x" * 90, b"x" * 90)),
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: " ".join(map(str, asked[:2])))
async def test_both_answer_the_same(asked: tuple[Any, ...]) -> None:
    stock, lean = [await ask(build(kind)[0], *asked) for kind in KINDS]
    assert lean == stock


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_leaves_ends_its_request(kind: type[ASGIHTTPConnection]) -> None:
    app, fates = build(kind)
    assert await ask(app, "GET", "/slow", leave_after=0.05) == (0, [], b"")
    assert fates == ["cancelled"]
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_stops_ends_the_request(kind: type[ASGIHTTPConnection]) -> None:
    app, fates = build(kind)
    running = asyncio.ensure_future(ask(app, "GET", "/slow"))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.05)
    if kind is Connection:
        assert fates == ["cancelled"]
