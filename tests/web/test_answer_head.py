"""The head of an answer as we write it beside uvicorn's own: the same bytes, the same refusals, the same end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.settings import Settings
from app.web import answer_head
from app.web.answer_head import Cycle
from app.web.guard import Guard
from app.web.headers import HeaderSet, file_headers, security_headers
from app.web.request_id import new_request_id

Pairs = list[tuple[bytes, bytes]]


class Sent(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.data += data

    def close(self) -> None:
        self.closed = True


async def told(
    kind: type[RequestResponseCycle],
    status: int,
    headers: Pairs,
    body: bytes = b"",
    *,
    method: str = "GET",
    keep_alive: bool = True,
    wire: Sent | None = None,
) -> tuple[bytes, bool, bool | None]:
    """What was sent for these headers and this body, whether the connection ends, and whether in chunks."""
    wire, logger = wire or Sent(), logging.getLogger("tests.silent")
    cycle = kind(
        scope=cast(Any, {"type": "http", "method": method}), transport=wire, flow=FlowControl(wire), logger=logger,
        access_logger=logger, access_log=False, default_headers=[(b"date", b"today")], message_event=asyncio.Event(),
        expect_100_continue=False, keep_alive=keep_alive, on_response=lambda: None,
    )  # fmt: skip
    await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
    await cycle.send({"type": "http.response.body", "body": body, "more_body": False})
    return wire.data, wire.closed, cycle.chunked_encoding


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304, 404])
@pytest.mark.parametrize(
    "given",
    [
        [],
        [(b"Content-Length", b"0"), (b"Content-Type", b"application/json")],
        [(b"transfer-encoding", b"Chunked")],
        [(b"content-length", b"0"), (b"Connection", b"keep-alive, Close")],
        [(b"set-cookie", b"a=b"), (b"set-cookie", b"c=d"), (b"x-tab", b"a\tb"), (b"x-latin", b"caf\xe9")],
    ],
)
async def test_the_same_head(given: Pairs, status: int, method: str, keep_alive: bool) -> None:
    ours = HeaderSet(security_headers(https=True))
    answer_head.look_at(ours.pairs)
    headers = ours.complete(given, new_request_id().encode())
    sent = await told(Cycle, status, headers, method=method, keep_alive=keep_alive)
    assert sent == await told(RequestResponseCycle, status, headers, method=method, keep_alive=keep_alive)
    assert sent[0].startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "bad",
    [
        (b"x-a", b"b\r\nset-cookie: c"),
        (b"x-a", b"b\n"),
        (b"x-a", b"\x00"),
        (b"x a", b"b"),
        (b"x\r\ny", b"b"),
        (b"x:", b""),
    ],
)
async def test_the_same_refusal(bad: tuple[bytes, bytes]) -> None:
    for kind in (RequestResponseCycle, Cycle):
        with pytest.raises(RuntimeError):
            await told(kind, 200, [(b"content-length", b"0"), bad])


async def nobody(*_: object) -> None:
    raise AssertionError("nothing was asked")


@pytest.mark.parametrize("files", ["", "https://files.example"])
def test_what_the_guard_adds_was_looked_at(monkeypatch: pytest.MonkeyPatch, files: str) -> None:
    lines: dict[tuple[bytes, bytes], bytes] = {}
    monkeypatch.setattr(answer_head, "_LINES", lines)
    Guard(nobody, Settings(public_url="https://journal.example", files_url=files))
    added = [*security_headers(https=True, files_url=files).items(), *file_headers(https=True).items()]
    assert set(lines) == {(name.encode(), value.encode()) for name, value in added}


@pytest.mark.parametrize("body", [b"", b"four"])
async def test_a_body_of_another_length_than_announced_is_not_sent(body: bytes) -> None:
    for kind in (RequestResponseCycle, Cycle):
        wire = Sent()
        with pytest.raises(RuntimeError):
            await told(kind, 200, [(b"content-length", b"3")], body, wire=wire)
        assert wire.data.startswith(b"HTTP/1.1 200 ")
        assert wire.data.endswith(b"\r\n\r\n"), "no byte of the body"
