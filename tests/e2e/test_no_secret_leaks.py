"""No secret shows in any environment, command line or log of the running house, after everything done to it."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus

import psutil
import pytest

from tests.canaries import forms
from tests.e2e.house import CHECKOUT, House
from tests.e2e.leaks import leaks, of_disk, of_vault, traces
from tests.e2e.people import SCRIPTORIUM, Cast, Programs, Secrets

SERVERS = {"postgres", "bao", "valkey-server"}


async def careless(programs: Programs, cast: Cast) -> dict[str, str]:
    """Do with credentials what goes wrong in practice; returns those that were used."""
    wrong = f"nearly the right words {secrets.token_hex(8)}"
    basic = base64.b64encode(f"{cast.member.email}:{cast.member.password}".encode()).decode()
    token = await programs.token(cast.sponsor)
    broken, misplaced = token[:-6] + "AAAAAA", f"scr_{secrets.token_urlsafe(24)}"
    http, half = programs.http, f'{{"email": "x", "password": "{wrong}"'
    answers = [
        await http.post("/api/login", json={"email": cast.applicant.email, "password": wrong}),
        await http.post("/api/login", content=half, headers={"Content-Type": "application/json"}),
        await http.post("/login", data={"email": cast.applicant.email, "password": wrong}),
        await http.get("/protected", headers={"Authorization": f"Basic {basic}"}),
        await http.get("/api/secure", headers={"Authorization": f"Bearer {broken}"}),
        await http.get("/api/secure", headers={"Authorization": f"Bearer {misplaced}"}),
        await http.get("/api/v1/me", params={"access_token": token}),
        await http.get("/login", params={"password": wrong, "next": f"/?token={token}"}),
        await http.get(f"/nope/{token}"),
        await http.post("/api/v1/auth/refresh", json={"refresh_token": misplaced}),
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 403, 200, 401, 401, 401, 200, 404, 401]
    return {"wrong password": wrong, "basic credentials": basic, "broken token": broken, "token in a URL": token}


async def shown_to_operators(programs: Programs, cast: Cast) -> dict[str, bytes]:
    """What administrators and the metrics server are shown, which must name secrets without showing one."""
    for what in ("csrf", "database"):
        rotated = await asyncio.to_thread(
            subprocess.run,
            [SCRIPTORIUM, "secrets", "rotate", what, "--json"],
            env={"PATH": os.environ["PATH"], "SCRIPTORIUM_STATE": str(programs.house.state)},
            cwd=CHECKOUT,
            capture_output=True,
            check=False,
        )
        assert rotated.returncode == 0, rotated.stderr
    bearer = {"Authorization": f"Bearer {await programs.token(cast.admin)}"}
    paths = ("/api/v1/admin/secrets", "/api/v1/admin/audit.jsonl", "/metrics", "/health/ready")
    answers = {path: await programs.http.get(path, headers=bearer) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert b"secrets.rotated" in answers["/api/v1/admin/audit.jsonl"].content
    assert b"vault_request_seconds" in answers["/metrics"].content
    return {path: answer.content for path, answer in answers.items()} | {"the command": rotated.stdout}


async def test_no_secret_shows_anywhere(house: House, programs: Programs, cast: Cast, known: Secrets) -> None:
    used = await careless(programs, cast)
    shown = await shown_to_operators(programs, cast)
    hidden = await of_vault(house) | of_disk(house)
    hidden |= {what: value.encode() for what, value in used.items()}
    hidden |= {f"{what} {number}": value.encode() for number, (value, what) in enumerate(known.all().items())}
    assert len(hidden) > 25
    assert all(forms(secret) for secret in hidden.values())

    processes = house.processes()
    names = [process.name() for process in processes]
    assert set(names) >= SERVERS, names
    logs = [house.terminal, *(house.state / "logs").iterdir(), *(house.state / "openbao").glob("audit.log*")]
    seen = traces(processes, logs)
    for expected in ("app.log", "openbao.log", "postgres.log", "audit.log"):
        assert any(where.endswith(expected) for where in seen), f"{expected} was not looked at"
    assert sum("environment" in where for where in seen) >= len(SERVERS) + 4
    assert not leaks(seen | shown, hidden)


@contextmanager
def talkative(place: Path, canary: str) -> Iterator[psutil.Process]:
    """A process that shows a secret in each of the three places."""
    with (place / "its.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-c", "import os, sys; print(sys.argv[1], flush=True); sys.stdin.read()", canary],
            env={"SECRET": canary},
            stdin=subprocess.PIPE,
            stdout=log,
        )
    try:
        while not (place / "its.log").stat().st_size:
            assert child.poll() is None
        yield psutil.Process(child.pid)
    finally:
        child.communicate()


SHOWN: dict[str, Callable[[bytes], str]] = {
    "plain": bytes.decode,
    "base64url": lambda secret: base64.urlsafe_b64encode(secret).decode(),
    "hex": bytes.hex,
    "form": lambda secret: quote_plus(secret.decode()),
}


@pytest.mark.parametrize("way", SHOWN)
def test_the_search_finds_what_is_there(tmp_path: Path, way: str) -> None:
    canary = f"two words & {secrets.token_hex(12)}".encode()
    with talkative(tmp_path, SHOWN[way](canary)) as process:
        found = leaks(traces([process]), {"canary": canary})
    assert {line.split()[2] for line in found} == {"environment", "command", "file"}
    assert leaks(traces([psutil.Process()]), {"another": secrets.token_bytes(24)}) == []
