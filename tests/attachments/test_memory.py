"""A file passes through a worker without ever lying in its memory as a whole."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from tests import makers
from tests.served import served
from tests.site import Site

MIB = 1024 * 1024
SIZE = 25 * MIB
MOST = 8 * MIB

# The other end of the line, in a process of its own: what it holds must not be counted as ours.
CLIENT = """
import http.client, sys
host, port, path, token, method, size = sys.argv[1:7]
line = http.client.HTTPConnection(host, int(port), timeout=60)
headers = {"Authorization": "Bearer " + token}
piece = bytes(range(256)) * 256
if method == "POST":
    body = (piece for _ in range(int(size) // len(piece)))
    line.request("POST", path, body=body, headers={**headers, "Content-Length": size})
    answer = line.getresponse()
    print(answer.status, answer.read().decode())
else:
    line.request("GET", path, headers=headers)
    answer, total = line.getresponse(), 0
    while got := answer.read(65536):
        total += len(got)
    print(answer.status, total)
"""


@pytest.fixture
async def open_site(site: Site) -> AsyncIterator[Site]:
    async with served(site.stack) as open_site:
        yield open_site


async def grown(work: Callable[[], Awaitable[None]]) -> int:
    """By how many bytes this process is larger at worst while the work goes on."""
    process = psutil.Process()
    before = worst = process.memory_info().rss
    task = asyncio.ensure_future(work())
    while not task.done():
        await asyncio.sleep(0.005)
        worst = max(worst, process.memory_info().rss)
    await task
    return worst - before


def identity(answer: str) -> str:
    return answer.partition('"id":"')[2][:36]


async def test_both_ways_in_pieces(open_site: Site, tmp_path: Path) -> None:
    alice = await makers.signed_in(open_site, "sponsor")
    document_id = (await makers.document(alice))["id"]
    path = f"/api/v1/documents/{document_id}/attachments"
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    said: list[str] = []

    async def call(method: str, path: str, size: int) -> None:
        words = ("127.0.0.1", str(open_site.settings.port), path, alice.program.token, method, str(size))
        process = await asyncio.create_subprocess_exec(sys.executable, script, *words, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        said.append(out.decode())

    await call("POST", f"{path}?name=small", 65536)  # what is loaded on first use is no growth
    await call("GET", f"{path}/{identity(said[-1])}/content", 0)
    up = await grown(lambda: call("POST", f"{path}?name=large", SIZE))
    assert said[-1].startswith("201"), said[-1]
    large = identity(said[-1])
    down = await grown(lambda: call("GET", f"{path}/{large}/content", 0))
    assert said[-1].split() == ["200", str(SIZE)]
    print(f"\nup: {up / MIB:.1f} MiB, down: {down / MIB:.1f} MiB")  # noqa: T201 - a measurement, for whoever runs -s
    assert up <= MOST
    assert down <= MOST
