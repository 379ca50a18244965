"""A Vault that misbehaves: fails, asks for patience, redirects, drips or is silent.  Every wait is bounded, the token stays."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.vault.breaker import LONGEST, Breaker
from app.vault.client import TIMEOUT, VaultClient
from app.vault.errors import Denied, Down, Invalid, Sealed, VaultError

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def say(status: str, *headers: str, body: str = '{"errors": []}') -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    return answer


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, so that no socket timeout ever strikes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.5)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@asynccontextmanager
async def stub(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers everything so; its address, and what it was sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            await answer(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    finally:
        server.close()


@pytest.mark.parametrize(
    ("answer", "error", "asked"),
    [
        (say("500 Internal Server Error"), Down, 3),
        (say("502 Bad Gateway", body="<html>"), Down, 3),
        (say("503 Service Unavailable"), Sealed, 1),
        (say("429 Too Many Requests"), Down, 3),
        (say("403 Forbidden"), Denied, 1),
        (say("400 Bad Request"), Invalid, 1),
        (say("200 OK", body="not JSON"), Down, 1),
        (say("200 OK", body="{}"), Down, 1),
        (silence, Down, 1),
        (drip, Down, 1),
    ],
    ids=["500", "502", "503", "429", "403", "400", "no JSON", "empty", "silent", "drips"],
)
async def test_every_misbehaviour_ends_in_time_and_in_our_words(
    answer: Answer, error: type[VaultError], asked: int
) -> None:
    async with stub(answer) as (address, heard):
        client = VaultClient(address)
        token = secrets.token_hex()
        client.use(token)
        began = time.monotonic()
        with pytest.raises(error) as raised:
            await client.renew_token()
        assert time.monotonic() - began < TIMEOUT * 2 + 1.5
        assert len(heard) == asked
        assert token not in str(raised.value)
        client.close()


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
async def test_the_token_follows_no_redirect(status: str) -> None:
    async with stub(say("200 OK", body='{"auth": {"lease_duration": 1}}')) as (elsewhere, heard):
        async with stub(say(status, f"Location: {elsewhere}/v1/auth/token/renew-self")) as (address, _):
            client = VaultClient(address)
            client.use(secrets.token_hex())
            with pytest.raises(Down, match="redirect"):
                await client.renew_token()
            client.close()
        assert heard == []


def test_a_broken_circuit_lets_one_try_through_after_each_pause() -> None:
    breaker = Breaker()
    assert not breaker.open(0.0)
    breaker.failed(0.0)
    assert breaker.open(0.4)
    assert not breaker.open(0.6)
    assert breaker.open(0.7)  # the one before is still trying
    now = 1.0
    for _ in range(10):
        breaker.failed(now)
        now += LONGEST
    assert not breaker.open(now)
    breaker.answered()
    assert not breaker.open(now)
    assert not breaker.open(now)
