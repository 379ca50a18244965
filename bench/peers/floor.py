"""The floor: raw ASGI and asyncpg reading one document, its caller known by a dictionary.

It does what the application's route must do and nothing that makes it an application: no router, no errors, no limits
shared with anybody, no sessions, no audit, no log.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from hashlib import sha256
from time import time
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.web.headers import security_headers

HEADERS = [(name.encode(), value.encode()) for name, value in security_headers(https=False).items()]
ONE = (
    "SELECT d.id, d.title, d.brief, d.body, d.state, d.version, d.revision, d.sponsor_id, d.editor_id, d.entry_id, "
    "d.created_at, d.updated_at, s.display_name AS sponsor_name, e.display_name AS editor_name FROM app.documents d "
    "JOIN app.people s ON s.id = d.sponsor_id LEFT JOIN app.people e ON e.id = d.editor_id "
    "WHERE d.id = $1 AND d.sponsor_id = $2"
)
KNOWN: dict[bytes, tuple[float, UUID]] = {}
POOL: list[asyncpg.Pool] = []
Message = dict[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer one request."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    token = next(value for name, value in scope["headers"] if name == b"authorization")[7:]
    until, person = KNOWN.setdefault(sha256(token).digest(), (time() + 900, UUID(os.environ["BENCH_PERSON"])))
    assert until > time()
    row = await POOL[0].fetchrow(ONE, UUID(scope["path"].rpartition("/")[2]), person)
    body = orjson.dumps(dict(row), default=str)
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/json"), length, *HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    async def keep(_: asyncpg.Connection) -> None:
        """Nothing is left behind on a connection here."""

    await receive()
    POOL.append(
        await asyncpg.create_pool(
            host=os.environ["BENCH_HOST"],
            port=int(os.environ["BENCH_PORT"]),
            database=os.environ["BENCH_DATABASE"],
            user=os.environ["BENCH_USER"],
            password=os.environ["PGPASSWORD"],
            min_size=1,
            max_size=10,
            reset=keep,
        )
    )
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await POOL.pop().close()
    await send({"type": "lifespan.shutdown.complete"})
