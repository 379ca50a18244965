"""Two hundred connections that take their time with heads, bodies and reading, and what everybody else notices of it."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import httpx
import pytest

from tests.attacks.tools import debian_program
from tests.e2e.house import House
from tests.e2e.people import Cast, Programs

pytestmark = pytest.mark.proof
CONNECTIONS, SECONDS, RATE, TRIES = 200, 15.0, 40, 3
WAYS = {
    "heads": ("-H", "-t", "GET", "-x", "24"),
    "bodies": ("-B", "-t", "POST", "-s", "8192", "-x", "10"),
    "reading": ("-X", "-w", "8", "-y", "16", "-n", "5", "-z", "8", "-k", "3"),
}


async def slowest(house: House, token: str, trust: ssl.SSLContext) -> float:
    """The 99th percentile in seconds of an ordinary, even stream of requests."""
    took: list[float] = []

    async def one(client: httpx.AsyncClient) -> None:
        began = time.perf_counter()
        answer = await client.get("/api/v1/me")
        assert answer.status_code == 200
        took.append(time.perf_counter() - began)

    async with httpx.AsyncClient(
        base_url=house.url, verify=trust, timeout=20, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        await asyncio.gather(*(one(client) for _ in range(8)))
        took.clear()
        async with asyncio.TaskGroup() as group:
            for _ in range(int(SECONDS * RATE)):
                group.create_task(one(client))
                await asyncio.sleep(1 / RATE)
    return sorted(took)[int(len(took) * 0.99)]


async def attack(house: House, way: str, folder: Path) -> asyncio.subprocess.Process:
    program, environment = debian_program("slowhttptest")
    target = f"{house.url}{'/login' if way == 'bodies' else '/'}"
    words = (
        *WAYS[way],
        "-c",
        str(CONNECTIONS),
        "-r",
        "100",
        "-i",
        "2",
        "-l",
        str(int(SECONDS) + 5),
        "-p",
        "3",
        "-u",
        target,
    )
    return await asyncio.create_subprocess_exec(
        program, *words, cwd=folder, env=dict(environment) or None,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_else_notices(
    attacked: House, programs: Programs, cast: Cast, trust: ssl.SSLContext, tmp_path: Path, way: str
) -> None:
    """Repeated on suspicion: on a machine with other work one stumble says nothing, three say something."""
    token = await programs.token(cast.member)
    figures = []
    for _ in range(TRIES):
        before = await slowest(attacked, token, trust)
        attacker = await attack(attacked, way, tmp_path)
        await asyncio.sleep(2.5)  # all connections are there
        under = await slowest(attacked, token, trust)
        said, _ = await attacker.communicate()
        assert b"connected" in said, said[-500:]
        figures.append((before, under))
        if under <= 2 * before:
            break
    print(f"slow {way}: " + ", ".join(f"{a * 1000:.1f} -> {b * 1000:.1f} ms" for a, b in figures))  # noqa: T201 - for the report
    assert figures[-1][1] <= 2 * figures[-1][0]
