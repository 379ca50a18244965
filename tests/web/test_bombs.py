"""Bombs at the whole application: refused early, in every framing, without stopping the loop or filling the memory."""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from app.web.body_caps import DOCUMENT_FORM, DOCUMENT_JSON, FORM, JSON, KIB, MIB
from tests import makers
from tests.e2e.house import free_port
from tests.figures import keep
from tests.site import Site, settings_for
from tests.web.servers import Answer, read_answer
from tests.web.watched import serve

URLENCODED, PARTS, APPLICATION_JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=XX",
    "application/json",
)
PART = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
BLOCK = 64 * KIB
LAG = 0.05
ROOM = 50 * MIB


@dataclass(frozen=True)
class Bomb:
    """A body, where it goes, and what it may be answered."""

    name: str
    path: str
    kind: str
    body: bytes = field(repr=False)
    refusals: tuple[int, ...]
    cap: int
    headers: str = ""
    known: bool = False
    """Whether it comes with a good token, so that its body is read at all."""


def bombs() -> Iterator[Bomb]:
    """Everything that parsers fear."""
    many = b"a&" * (15 * MIB // 2)
    yield Bomb("15 MiB of fields at the door", "/login", URLENCODED, many, (413,), FORM)
    yield Bomb("15 MiB of fields for a text", "/entry", URLENCODED, many, (413,), DOCUMENT_FORM)
    yield Bomb("5 MiB of fields", "/entry", URLENCODED, many[: DOCUMENT_FORM - 1], (400,), DOCUMENT_FORM)
    yield Bomb("5 MiB of percent signs", "/entry", URLENCODED, b"a=" + b"%41" * 1_700_000, (400, 403), DOCUMENT_FORM)
    yield Bomb("100,000 parts", "/entry", PARTS, PART * 100_000 + b"--XX--\r\n", (400, 413), DOCUMENT_FORM)
    yield Bomb("parts without an end", "/entry", PARTS, b"--XX\r\n" + b"a: b\r\n" * 500_000, (400,), DOCUMENT_FORM)
    yield Bomb("100,000 brackets", "/api/login", APPLICATION_JSON, b"[" * 100_000, (400,), JSON)
    yield Bomb("objects in objects", "/api/login", APPLICATION_JSON, b'{"a":' * 50_000, (400,), JSON)
    yield Bomb(
        "3 MiB of brackets",
        "/api/v1/documents",
        APPLICATION_JSON,
        b"[" * (DOCUMENT_JSON - 1),
        (400,),
        DOCUMENT_JSON,
        known=True,
    )
    yield Bomb(
        "a million values",
        "/api/v1/documents",
        APPLICATION_JSON,
        b"[" + b"1," * 1_000_000 + b"1]",
        (400,),
        DOCUMENT_JSON,
        known=True,
    )
    yield Bomb(
        "a million names",
        "/api/v1/documents",
        APPLICATION_JSON,
        b"{" + b'"a":1,' * 500_000 + b'"a":1}',
        (400,),
        DOCUMENT_JSON,
        known=True,
    )
    yield Bomb(
        "a number of 200,000 digits", "/api/login", APPLICATION_JSON, b'{"email":' + b"9" * 200_000 + b"}", (400,), JSON
    )
    yield Bomb(
        "15 MiB of JSON", "/api/v1/documents", APPLICATION_JSON, b"[" * (15 * MIB), (413,), DOCUMENT_JSON, known=True
    )
    yield Bomb("a report", "/api/csp-reports", "application/csp-report", b"[" * MIB, (413,), 16 * KIB)
    packed = gzip.compress(b"\0" * (64 * MIB), compresslevel=1)
    yield Bomb("64 MiB, packed", "/api/login", APPLICATION_JSON, packed, (415, 413), JSON, "Content-Encoding: gzip\r\n")


BOMBS = list(bombs())


@dataclass
class Worker:
    """A worker that watches itself."""

    port: int
    process: psutil.Process
    line: Connection
    token: str = ""
    at_start: int = 0

    async def worst(self) -> float:
        """The longest stretch since this was last asked."""
        self.line.send("worst")
        found: float = await asyncio.to_thread(self.line.recv)
        return found

    def memory(self) -> int:
        return int(self.process.memory_info().rss)

    def forget_peak(self) -> None:
        """Begin anew with the most memory it ever had at once (proc(5))."""
        peak = Path(f"/proc/{self.process.pid}/clear_refs")
        assert peak.exists(), (
            "this kernel keeps no clear_refs, as some sandboxes do not: the worst moment stays unknown"
        )
        peak.write_text("5")

    def peak(self) -> int:
        """The most memory it had at any moment since `forget_peak`, as the kernel kept it."""
        told = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(told.partition("VmHWM:")[2].split()[0]) * KIB


@pytest.fixture(scope="module")
async def worker(site: Site) -> AsyncIterator[Worker]:
    port = free_port()
    settings = settings_for(site.stack, {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"})
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(settings, theirs), daemon=True)
    process.start()
    theirs.close()
    assert process.pid is not None
    found = Worker(port, psutil.Process(process.pid), ours)
    await found.worst()
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        await asyncio.sleep(0.05)
    person = await makers.person(site, "sponsor")
    body = b'{"email":"%s","password":"%s"}' % (person.email.encode(), person.password.encode())
    signed_in = Bomb("", "/api/login", APPLICATION_JSON, body, (200,), JSON)
    answer = await asyncio.to_thread(announced, found, signed_in)
    assert answer.status == 200, answer
    found.token = answer.body.split(b'"access_token":"')[1].partition(b'"')[0].decode()
    for bomb in BOMBS:  # what is imported and grown at the first of its kind is not the bombs' doing
        await asyncio.to_thread(announced, found, replace(bomb, body=b"{" * 10))
    await found.worst()
    found.at_start = found.memory()
    yield found
    found.line.send("stop")
    await asyncio.to_thread(process.join, 20)
    process.kill()


def head(worker: Worker, bomb: Bomb, framing: str) -> bytes:
    token = f"Authorization: Bearer {worker.token}\r\n" if bomb.known else ""
    own = f"http://127.0.0.1:{worker.port}"
    return (
        f"POST {bomb.path} HTTP/1.1\r\nHost: 127.0.0.1:{worker.port}\r\nOrigin: {own}\r\n{token}"
        f"Content-Type: {bomb.kind}\r\n{bomb.headers}{framing}\r\n\r\n"
    ).encode()


def announced(worker: Worker, bomb: Bomb) -> Answer:
    """Say the length; send the body only when it is wanted."""
    with socket.create_connection(("127.0.0.1", worker.port), timeout=30) as connection:
        connection.sendall(head(worker, bomb, f"Content-Length: {len(bomb.body)}"))
        if len(bomb.body) <= bomb.cap and not bomb.headers:
            with suppress(OSError):
                connection.sendall(bomb.body)
        return read_answer(connection)


def chunked(worker: Worker, bomb: Bomb) -> Answer:
    """Send chunk after chunk, and no more than what is needed to be refused."""
    with socket.create_connection(("127.0.0.1", worker.port), timeout=30) as connection:
        connection.sendall(head(worker, bomb, "Transfer-Encoding: chunked"))
        within = bomb.body[: bomb.cap + BLOCK]
        with suppress(OSError):
            for start in range(0, len(within), BLOCK):
                piece = within[start : start + BLOCK]
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if len(bomb.body) <= bomb.cap:
                connection.sendall(b"0\r\n\r\n")
        return read_answer(connection)


def long_winded(worker: Worker, bomb: Bomb) -> Answer:
    """Send all of it whatever is said meanwhile, in one chunk per mebibyte, and then look at the answer."""
    with socket.create_connection(("127.0.0.1", worker.port), timeout=30) as connection:
        connection.sendall(head(worker, bomb, "Transfer-Encoding: chunked"))
        with suppress(OSError):
            for start in range(0, len(bomb.body), MIB):
                piece = bomb.body[start : start + MIB]
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
        return read_answer(connection)


FRAMINGS = (announced, chunked, long_winded)


async def shortest_lag(throw: Callable[[], Awaitable[float]]) -> float:
    """The longest stretch of a round of bombs.  Neighbours can only lengthen it: of up to three rounds the best counts."""
    lags: list[float] = []
    while len(lags) < 3:
        lags.append(await throw())
        if lags[-1] < LAG:
            return lags[-1]
    raise AssertionError(f"the loop was kept {lags} s at a stretch")


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name.replace(" ", "-"))
async def test_a_bomb_is_refused_early_and_stops_nothing(worker: Worker, bomb: Bomb) -> None:
    before = worker.memory()

    async def throw() -> float:
        await worker.worst()
        for framing in FRAMINGS:
            answer = await asyncio.to_thread(framing, worker, bomb)
            assert answer.status in bomb.refusals, (framing.__name__, answer.status, answer.body[:200])
        return await worker.worst()

    await shortest_lag(throw)
    assert worker.memory() - before < ROOM


async def test_the_worker_serves_on(worker: Worker) -> None:
    fine = Bomb(
        "", "/api/v1/documents", APPLICATION_JSON, b'{"title": "After the bombs"}', (201,), DOCUMENT_JSON, known=True
    )
    assert (await asyncio.to_thread(announced, worker, fine)).status == 201


async def many_at_once(worker: Worker, rounds: int, at_once: int = 8) -> tuple[float, float]:
    """Throw everything so many times, so many at a time; the worker must stay small and awake.

    Returns by how many MiB it was larger at the worst moment than before the first bomb, and its longest stretch.
    """
    before, gate, grown = worker.at_start, asyncio.Semaphore(at_once), 0.0

    async def throw(bomb: Bomb, number: int) -> None:
        async with gate:
            answer = await asyncio.to_thread(FRAMINGS[number % 3], worker, bomb)
            assert answer.status in (*bomb.refusals, 429), (bomb, answer.status)

    async def throw_all() -> float:
        nonlocal grown
        worker.forget_peak()
        await worker.worst()
        await asyncio.gather(*(throw(bomb, number) for number in range(rounds) for bomb in BOMBS))
        grown = (worker.peak() - before) / MIB
        assert grown * MIB < ROOM
        return await worker.worst()

    lag = await shortest_lag(throw_all)
    return grown, lag


async def test_some_bombs_at_once(worker: Worker) -> None:
    await many_at_once(worker, rounds=2)


@pytest.mark.proof
async def test_bombs_from_many_at_once(worker: Worker) -> None:
    """Texts may have 5 MiB each, so what is under way at the same time adds up."""
    grown, lag = await many_at_once(worker, rounds=20)
    keep(
        "Bombs, eight at a time",
        f"20 rounds of {len(BOMBS)} bombs in three framings: the worker held {grown:.0f} MiB more at its worst moment than "
        f"before the first, and its loop was kept at most {lag * 1000:.0f} ms at a stretch.",
    )
