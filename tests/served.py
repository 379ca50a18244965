"""The application under test on a real port, for clients that bring their own network stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from local.stack import Stack
from tests.e2e.house import free_port
from tests.site import Site, running


@asynccontextmanager
async def served(stack: Stack, **changes: str) -> AsyncIterator[Site]:
    """Start an application over `stack` and serve it on loopback; `{port}` in a change stands for where it listens."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    changes = {name: value.replace("{port}", str(port)) for name, value in changes.items()}
    chosen = {"PUBLIC_URL": url, "PORT": str(port), **changes}
    async with running(stack, prepare=lambda _: None, **chosen) as site:
        config = uvicorn.Config(
            site.app,
            host="127.0.0.1",
            port=port,
            lifespan="off",
            log_level="warning",
            access_log=False,
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve())
        try:
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.01)
            yield site
        finally:
            server.should_exit = True
            await task
