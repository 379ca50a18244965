"""What the benchmarks run against: the local stack, the application with one worker, its peers, and one document."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from local.ports import is_free
from local.stack import Stack
from vault.client import connect

APP_ROLE = "scriptorium-app"
FLOOR = "floor: read one"
HELLO = "raw ASGI: hello"
TEXT = ("Soot, gum and *water*; then patience, and a dry day. " * 40)[:2048]


@dataclass(frozen=True)
class Case:
    """What is asked of which process; `against` names the case it is compared to."""

    server: psutil.Process
    url: str
    against: str
    token: str = ""
    method: str = "GET"
    body: str = ""


@dataclass(frozen=True)
class Cost:
    """CPU microseconds per request, requests per second, and how long one took, in milliseconds."""

    cpu: float
    rate: float
    p50: float
    p99: float

    @property
    def row(self) -> tuple[float, float, float, float]:
        return self.cpu, self.rate, self.p50, self.p99


class House:
    """Starts everything on entry and stops it on exit; `cases` maps a name to what is asked of whom."""

    def __init__(self, folder: Path) -> None:
        self._stack = Stack(folder)
        self._opened = ExitStack()
        self.cases: dict[str, Case] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def _open(self) -> None:
        self._stack.start()
        self._opened.callback(self._stack.stop)
        self._stack.migrate()
        for process in psutil.Process().children(recursive=True):
            process.cpu_affinity([1])
        port, floor_port, stock_port, raw_port = (free_port() for _ in range(4))
        url = f"http://127.0.0.1:{port}"
        environment = self._stack.environment() | {
            "SCRIPTORIUM_PORT": str(port),
            "SCRIPTORIUM_PUBLIC_URL": url,
            "SCRIPTORIUM_WORKERS": "1",
            "SCRIPTORIUM_SIGN_UP_SPONSOR": "open",
            "SCRIPTORIUM_LIMIT_SCALE": "10000",
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(self._stack.wrap_secret_id()),
        }
        server = self._start("app.cli", "serve", environment=environment)
        until_up(f"{url}/health/ready")
        person, document, token = self._furnish(url)
        floor = self._peer("bench.peers.floor:app", floor_port, self._database() | {"BENCH_PERSON": person})
        stock = self._peer("bench.peers.hello:quart", stock_port, {})
        raw = self._peer("bench.peers.hello:raw", raw_port, {})
        entry = json.dumps({"title": "On copying", "body": TEXT})
        near = "http://127.0.0.1"
        self.cases |= {
            FLOOR: Case(floor, f"{near}:{floor_port}/{document}", FLOOR, token),
            "Scriptorium: read one": Case(server, f"{url}/api/v1/documents/{document}", FLOOR, token),
            "Scriptorium: list of 20": Case(server, f"{url}/api/v1/documents?limit=20", FLOOR, token),
            "Scriptorium: write + audit": Case(server, f"{url}/api/v1/entries", FLOOR, token, "POST", entry),
            "Scriptorium: journal, a page": Case(server, f"{url}/", FLOOR),
            HELLO: Case(raw, f"{near}:{raw_port}/", HELLO),
            "Quart as it comes: hello": Case(stock, f"{near}:{stock_port}/", HELLO),
            "Scriptorium: alive": Case(server, f"{url}/health/live", HELLO),
        }

    def _peer(self, application: str, port: int, environment: dict[str, str]) -> psutil.Process:
        """Another application on the same server program."""
        process = self._start(
            *("uvicorn", application, "--port", str(port), "--loop", "uvloop"),
            *("--http", "httptools", "--no-access-log", "--log-level", "warning"),
            environment=environment,
        )
        _until_listening(port)
        return process

    def _start(self, *command: str, environment: dict[str, str]) -> psutil.Process:
        log = (self._stack.state / f"{command[0]}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        psutil.Process(process.pid).cpu_affinity([0])
        self._opened.callback(log.close)
        self._opened.callback(process.wait)
        self._opened.callback(process.terminate)
        return psutil.Process(process.pid)

    def _furnish(self, url: str) -> tuple[str, str, str]:
        """A sponsor with a token and 20 documents of 2 KB, and a full page of the journal; returns ids and token."""
        email, password = "bench@example.org", secrets.token_urlsafe(24)
        with httpx.Client(base_url=url, timeout=30) as http:
            made = _good(
                http.post(
                    "/api/v1/people",
                    json={"email": email, "display_name": "Bench", "password": password, "role": "sponsor"},
                )
            )
            tokens = _good(http.post("/api/login", json={"email": email, "password": password}))
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            new = {"title": "A history of ink", "brief": "Ten pages, for the curious.", "body": TEXT}
            for _ in range(20):
                document = _good(http.post("/api/v1/documents", json=new, headers=bearer))
                _good(http.post("/api/v1/entries", json={"title": "On ink", "body": TEXT}, headers=bearer))
        return str(made["id"]), str(document["id"]), str(tokens["access_token"])

    def _database(self) -> dict[str, str]:
        """A login of the database like the application's own, for peers."""
        client = connect(self._stack.deployer.address, self._stack.deployer.wrap_secret_id(APP_ROLE))
        secret_id = client.sys.unwrap()["data"]["secret_id"]
        client.token = None
        client.auth.approle.login(self._stack.deployer.role_id(APP_ROLE), secret_id)
        login = client.adapter.get("/v1/database/creds/scriptorium-app")["data"]
        environment = self._stack.environment()
        return {
            "BENCH_HOST": environment["SCRIPTORIUM_DATABASE_HOST"],
            "BENCH_PORT": environment["SCRIPTORIUM_DATABASE_PORT"],
            "BENCH_DATABASE": environment["SCRIPTORIUM_DATABASE_NAME"],
            "BENCH_USER": login["username"],
            "PGPASSWORD": login["password"],
        }


def _good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def free_port() -> int:
    """A port nobody listens on."""
    while True:
        port = 17_000 + secrets.randbelow(1_000)
        if is_free(port):
            return port


def _until_listening(port: int) -> None:
    deadline = time.monotonic() + 30
    while is_free(port):
        assert time.monotonic() < deadline, f"nothing listens on {port}"
        time.sleep(0.1)
    time.sleep(1)


def until_up(url: str) -> None:
    """Wait for an application to say that it is ready; raises TimeoutError."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer")
