"""What each part of the wall costs a program's request: the parts are left out in turn, and then all of them.

`python -m bench.wall` runs the whole application in this process, fed by the server's own protocol class over a transport
that goes nowhere.  It asks for `/api/v1/me` by bearer, which passes the same wall as the read of a document and then waits for
nobody: while a process waits, neighbours take its caches, and that costs more than any part of the wall.  Parts are
taken out of the composition here, between two blocks of requests; the product has no setting that would.  Blocks are short
and in random order, and what is told is the cheapest of each: neighbours can only make a block dearer.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import sample
from time import thread_time
from typing import Any, Final, cast
from urllib.parse import urlsplit

import click
import uvicorn
import uvloop
from uvicorn.server import ServerState

from app.access import Actor, set_identity
from app.access.actor import needs_of
from app.supervisor.options import uvicorn_options
from app.web.guard import Guard
from local.stack import Stack
from tests import makers
from tests.site import Site, running

BLOCK: Final = 20
BOUND: Final = 60.0


class Wire(asyncio.Transport):
    """A transport that counts what is written and sends it nowhere."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 40000), "sockname": ("127.0.0.1", 5000)})
        self.written: list[bytes] = []
        self.answered = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written.append(data)
        if len(self.written) == 2:  # noqa: PLR2004 - head and body
            self.answered.set()

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


class Client:
    """Asks for one address again and again, on one connection."""

    def __init__(self, site: Site, token: str, path: str) -> None:
        host = urlsplit(site.settings.public_url).netloc
        self._asked = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            "Accept: application/json\r\nUser-Agent: bench\r\n\r\n"
        ).encode()
        config = uvicorn.Config(site.app, **uvicorn_options(site.settings))
        config.load()
        kind: Any = config.http_protocol_class
        self._protocol = kind(config=config, server_state=ServerState(), app_state={})
        self._guard: Guard = cast(Any, site.app).asgi_app
        self._wire = Wire()
        self._protocol.connection_made(self._wire)

    async def block(self, requests: int) -> float:
        """CPU microseconds of one request, the mean over so many."""
        began = thread_time()
        for _ in range(requests):
            self._wire.written.clear()
            self._wire.answered.clear()
            self._protocol.data_received(self._asked)
            await self._wire.answered.wait()
            await asyncio.sleep(0)
        self._guard.access_log.flush()  # its lines are made when they are written, and belong to these requests
        taken = (thread_time() - began) / requests * 1e6
        assert self._wire.written[0].startswith(b"HTTP/1.1 200"), self._wire.written[0][:200]
        return taken


class _Silent:
    def add(self, *_: object) -> None:
        """Say nothing."""

    def flush(self) -> None:
        """Nothing was gathered."""


class _Bare:
    def complete(self, given: Any, _: bytes) -> Any:
        return given


class Wall:
    """Takes parts out of an application that runs, and puts them back."""

    def __init__(self, site: Site, actor: Actor) -> None:
        self._app: Any = site.app
        self._guard: Guard = self._app.asgi_app
        self._actor = actor
        self.parts: dict[str, Callable[[], None]] = {
            "outer guard (with headers, log, counters)": self._no_guard,
            "  headers": lambda: setattr(self._guard, "_headers", _Bare()),
            "  access log": lambda: setattr(self._guard, "access_log", _Silent()),
            "limits": lambda: self._app.config.__setitem__("QUART_RATE_LIMITER_ENABLED", False),
            "identity and token": lambda: self._hooks("before_request_funcs", "load_actor", self._somebody),
            "form token": lambda: self._hooks("before_request_funcs", "check_form", None),
            "CORS": lambda: self._hooks("after_request_funcs", "add_headers", None),
            "all of it": self._nothing,
        }

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """While this lasts, the part is not there."""
        guard, app = self._guard, self._app
        kept = (guard._headers, guard.access_log)  # noqa: SLF001 - a benchmark reaches in where the product must not
        hooks = {name: list(getattr(app, name)[None]) for name in ("before_request_funcs", "after_request_funcs")}
        if part:
            self.parts[part]()
        try:
            yield
        finally:
            app.asgi_app = guard
            guard._headers, guard.access_log = kept  # noqa: SLF001 - as above
            app.config["QUART_RATE_LIMITER_ENABLED"] = True
            for name, found in hooks.items():
                getattr(app, name)[None] = found
            app._plans.clear()  # noqa: SLF001 - as above

    def _hooks(self, kind: str, name: str, instead: Callable[[], Any] | None) -> None:
        found = getattr(self._app, kind)[None]
        kept = [hook for hook in found if getattr(hook, "__name__", "") != name]
        assert len(kept) == len(found) - 1, f"there is no {name}"
        getattr(self._app, kind)[None] = ([instead] if instead else []) + kept
        self._app._plans.clear()  # noqa: SLF001 - as above

    def _no_guard(self) -> None:
        self._app.asgi_app = self._guard.app

    def _nothing(self) -> None:
        for name, take_out in self.parts.items():
            if name != "all of it":
                take_out()

    async def _somebody(self) -> None:
        set_identity(self._actor)


@click.command()
@click.option("--rounds", default=300, show_default=True, help="How often each part is left out.")
def main(rounds: int) -> None:
    """Print what each part costs; ends with 1 when all together cost more than 60 microseconds."""
    folder = Path(tempfile.mkdtemp(prefix="sbench-"))
    stack = Stack(folder)
    try:
        stack.start()
        stack.migrate()
        prices = uvloop.run(_measure(stack, rounds))
    finally:
        stack.stop()
        shutil.rmtree(folder)
    price = {part: min(costs) for part, costs in prices.items()}
    whole = price.pop("")
    print(f"\n{'a known caller asks who they are':44} {whole:8.1f} CPU us")
    for part, left in price.items():
        print(f"{part:44} {whole - left:8.1f}")
    together = whole - price["all of it"]
    sys.exit(1 if together > BOUND else 0)


async def _measure(stack: Stack, rounds: int) -> dict[str, list[float]]:
    async with running(stack, CORS_ORIGINS="https://elsewhere.example", LOG_LEVEL="error") as site:
        nora = await makers.signed_in(site, "sponsor", name="Nora")
        scopes = None
        actor = Actor(
            id=nora.id,
            roles=frozenset({"sponsor"}),
            status="active",
            provides=needs_of(nora.id, frozenset({"sponsor"}), "active", scopes),
        )
        client = Client(site, nora.program.token, "/api/v1/me")
        wall = Wall(site, actor)
        found: dict[str, list[float]] = {name: [] for name in ("", *wall.parts)}
        for number in range(rounds + 1):
            for part, costs in sample(list(found.items()), len(found)):  # none is always the first
                with wall.without(part):
                    await client.block(2)
                    taken = await client.block(BLOCK)
                if number:  # the first round warms up
                    costs.append(taken)
    return found


if __name__ == "__main__":
    main()
