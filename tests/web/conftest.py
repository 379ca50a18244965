"""A real Valkey, and real servers on loopback, for the tests of the web kit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.web.asgi import ASGIApp
from app.web.guard import Guard
from tests.web.servers import Server, ValkeyServer, free_port


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve an ASGI application behind the guard; returns the server with its `port` and `guard`."""
    running: list[Server] = []

    def start(app: ASGIApp, **settings: object) -> Server:
        port = free_port()
        limits = {name: settings.pop(name) for name in ("concurrency", "body_seconds") if name in settings}
        chosen = {"public_url": f"http://127.0.0.1:{port}", "port": port, **settings}
        head_seconds = float(str(chosen.pop("head_seconds", 10.0)))
        server = Server(Guard(app, Settings(**chosen), **limits), port, head_seconds)  # type: ignore[arg-type]
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.stop()
