"""Canaries: what the application holds at this moment, and every place somebody could look where none of it may be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from app.vault.subscriber import Subscriber
from tests.networked import calling
from tests.secrets.scene import manager
from tests.vault.conftest import House
from tests.vault.test_serve import Serving

DIGEST = 32  # bytes before the estate's text
SHORTEST = 12
NAMES = ("v-scriptorium-app-", "database/creds/")


async def everything_hidden(house: House, serve: Serving) -> list[str]:
    """All that is secret now, in the forms in which it could show: keys, passwords, logins, and the Vault token."""
    source = Subscriber(Path(serve.environment["SCRIPTORIUM_SECRETS_SOCKET"]), role="tool")
    await source.start()
    snapshot = source.snapshot
    await source.stop()
    found = [snapshot.login.user, snapshot.login.password, snapshot.valkey_password]
    for key in (key for ring in snapshot.rings.values() for key in ring.keys):
        coded = base64.b64encode(key.value).decode().rstrip("=")
        found += [
            coded,
            coded.replace("+", "-").replace("/", "_"),
            key.value.hex(),
            *key.value.decode("latin-1").split("\n"),
        ]
    found += _estate(serve)
    found += [house.stack.deployer.token("rotator"), house.stack.deployer.token("deployer"), serve.delivered()]
    return sorted({value for value in found if len(value) >= SHORTEST and "PRIVATE KEY" not in value})


def _estate(serve: Serving) -> list[str]:
    """Token and lease, as they lie in memory between supervisor and broker."""
    for place in Path(f"/proc/{serve.process.pid}/fd").iterdir():
        with suppress(OSError):
            if "scriptorium-estate" in str(place.readlink()):
                left = json.loads(place.read_bytes()[DIGEST:])
                return [left["token"], left["held"]["lease_id"]]
    raise AssertionError("the supervisor holds no estate")


async def shown_somewhere(house: House, serve: Serving, secret: list[str], pages: str = "") -> list[str]:
    """The places where something secret shows: logs, processes, metrics, health, the audit trail, pages seen."""
    places = {"pages": pages} | _processes(serve) | await _answers(serve) | await _trail(house)
    places["log"] = serve.log.read_text("utf-8", "replace")
    assert len(places["trail"]) > 2, "nothing was recorded"
    # The servers' own logs name leases and logins; a value stands there as little as anywhere.
    values = [value for value in secret if not value.startswith(NAMES)]
    logs = {path.name: path.read_text("utf-8", "replace") for path in house.stack.folders.logs.glob("*.log")}
    assert {"openbao.log", "postgres.log", "valkey.log"} <= logs.keys()
    return _with(secret, places) + _with(values, logs)


def _with(secret: Iterable[str], places: Mapping[str, str]) -> list[str]:
    return [place for place, text in places.items() if any(value in text for value in secret)]


def _processes(serve: Serving) -> dict[str, str]:
    found = {}
    for process in serve.family():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found[f"process {process.pid}"] = "\0".join([*process.cmdline(), *process.environ().values()])
    return found


async def _answers(serve: Serving) -> dict[str, str]:
    async with calling(f"http://127.0.0.1:{serve.port}", timeout=10) as http:
        return {path: (await http.get(path)).text for path in ("/metrics", "/health/ready", "/nowhere", "/api/secure")}


async def _trail(house: House) -> dict[str, str]:
    async with manager(house) as connection:
        rows = await connection.fetch("SELECT e::text AS line FROM app.audit_events e")
    return {"trail": "\n".join(row["line"] for row in rows)}
