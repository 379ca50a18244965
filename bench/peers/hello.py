"""Short answers as others give them: Quart as it comes, and raw ASGI."""

from __future__ import annotations

from typing import Any

from quart import Quart

BODY = b'{"status":"live"}'
quart = Quart(__name__)


@quart.get("/")
async def live() -> dict[str, str]:
    """The least a Quart application does."""
    return {"status": "live"}


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """The least a server can do."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
