"""A real S3-compatible server of the tests' own: SeaweedFS from its wheel, on loopback, with keys made at run time."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.house import free_port

WEED = Path(sys.executable).parent / "weed"
PATIENCE = 60.0  # seconds, on a machine that is busy with other tests; alone it takes three
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
         "s3.port", "s3.port.grpc")  # fmt: skip


@dataclass(frozen=True)
class Bucket:
    """Where it is, and what opens it: two pairs of keys, to turn from one to the other."""

    endpoint: str
    keys: tuple[dict[str, str], dict[str, str]]


@asynccontextmanager
async def bucket() -> AsyncIterator[Bucket]:
    """Run the server in a folder of its own until the end."""
    keys = tuple({"access_key_id": secrets.token_hex(10), "secret_access_key": secrets.token_hex(20)} for _ in range(2))
    # Twice as many as are needed, since two may be the same.
    ports = dict(zip(PORTS, {free_port() for _ in range(2 * len(PORTS))}, strict=False))
    with tempfile.TemporaryDirectory(prefix="sw-") as place:
        config = Path(place) / "s3.json"
        pairs = [{"accessKey": pair["access_key_id"], "secretKey": pair["secret_access_key"]} for pair in keys]
        rights = ["Admin", "Read", "Write", "List"]
        config.write_text(json.dumps({"identities": [{"name": "site", "credentials": pairs, "actions": rights}]}))
        words = [
            f"-dir={place}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", f"-filer.localSocket={place}/f",
            "-s3", f"-s3.config={config}", f"-s3.localSocket={place}/s", "-s3.iam=false",
            # Nothing that was not asked for: no other doors, and no word to its makers.
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
            "-volume.max=4", "-master.volumeSizeLimitMB=64", *(f"-{name}={port}" for name, port in ports.items()),
        ]  # fmt: skip
        with (Path(place) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(WEED, "server", *words, cwd=place, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{ports['s3.port']}"
            await _up(endpoint, process)
            yield Bucket(endpoint, (keys[0], keys[1]))
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _up(endpoint: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE):
        while True:
            assert process.returncode is None, "the bucket's server did not start"
            try:
                if (await http.get(f"{endpoint}/status")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
