"""Asks for many files at once, in a process of its own: `python -m tests.exports.asking URL PATH...`, the token on
standard input.  What it costs to open connections and take the files in must not count as what others wait for.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import httpx


async def made(http: httpx.AsyncClient, path: str) -> tuple[int, int]:
    """Have a file made, coming again when told to; how often that was, and how large it is."""
    refused = 0
    while True:
        answer = await http.get(path)
        if answer.status_code == 200:
            return refused, len(answer.content)
        assert answer.status_code == 503, answer.text
        refused += 1
        await asyncio.sleep(int(answer.headers["retry-after"]))


async def main(url: str, paths: list[str], token: str) -> None:
    """Print what came of each as JSON."""
    async with httpx.AsyncClient(base_url=url, timeout=120, headers={"Authorization": f"Bearer {token}"}) as http:
        sys.stdout.write(json.dumps(await asyncio.gather(*(made(http, path) for path in paths))))


if __name__ == "__main__":
    os.nice(19)  # a caller elsewhere would not take our processors
    asyncio.run(main(sys.argv[1], sys.argv[2:], sys.stdin.read().strip()))
