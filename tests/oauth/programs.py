"""Runs client programs of others, which print an address to open and are told where the browser was sent back to."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.cast import Person
from tests.oauth.flow import decide

NODE = Path(__file__).resolve().parent / "node"
PATIENCE = 60.0


def node() -> str:
    """The node program, with the packages of `node/package.json` beside it; skips where there is no node."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("node and npm are not on this machine")
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    with (NODE / ".installing").open("w") as lock:  # test processes run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(_installed(name, version) for name, version in wanted.items()):
            packages = [f"{name}@{version}" for name, version in wanted.items()]
            options = ["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(
                [npm, "install", *options, *packages], cwd=NODE, check=True, timeout=180, capture_output=True
            )
    return found


def _installed(name: str, version: str) -> bool:
    manifest = NODE / "node_modules" / name / "package.json"
    return manifest.exists() and json.loads(manifest.read_text())["version"] == version


async def run(
    *command: str | Path, person: Person | None = None, cwd: Path = NODE, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program to its end and return what it printed; when it prints an address to open, `person` agrees there."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "NODE_NO_WARNINGS": "1", **(environment or {})},
        stdin=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,  # an answer is one line, however long
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = []
    try:
        async with asyncio.timeout(PATIENCE):
            async for raw in process.stdout:
                line = raw.decode()
                said.append(line)
                if person is not None and "/oauth/authorize?" in line:
                    address = line[line.index("http") :].strip()
                    back = await decide(person.browser, dict(parse_qsl(urlsplit(address).query)))
                    process.stdin.write(back.headers["location"].encode() + b"\n")
                    await process.stdin.drain()
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, "".join(said)
    return "".join(said)
