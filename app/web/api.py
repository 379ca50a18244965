"""JSON routes of the site itself: the OpenAPI document, health, and the security contact."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Literal

import msgspec
import orjson
from quart import Blueprint, Response, current_app
from sqlalchemy import text
from valkey.exceptions import ValkeyError

from app.errors import DomainError, NotFound
from app.ids import now
from app.web.answers import answer
from app.web.client_address import client_address, parse_address
from app.web.context import extension, resources, settings
from app.web.guards import public
from app.web.headers import response_headers
from app.web.metrics import CONTENT_TYPE, Metrics
from app.web.openapi import describe, document

blueprint = Blueprint("site_api", __name__)
PATIENCE = 1.0


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(msgspec.Struct, frozen=True):
    """Whether this process can do its work, part by part; while secrets are not healthy also why, and what ends when."""

    status: Literal["ready", "degraded", "not_ready"]
    database: Literal["up", "down"]
    valkey: Literal["up", "down"]
    secrets: Literal["healthy", "degraded", "must_stop"]
    secrets_since: str
    secrets_trouble: list[str]
    ends: dict[str, str]


@blueprint.get("/api/openapi.json")
@describe("This document", tag="discovery", answers={200: None})
@response_headers(cache_control="public, max-age=60")
@public
async def openapi() -> Response:
    known: bytes | None = current_app.extensions.get("scriptorium-openapi")
    if known is None:
        made: dict[str, Any] = document(current_app)
        known = current_app.extensions["scriptorium-openapi"] = orjson.dumps(made)
    return Response(known, content_type="application/json")


@blueprint.get("/health/live")
@describe("Is the process there", tag="operation", answers={200: Live})
@public
async def live() -> Response:
    return answer(Live())


@blueprint.get("/health/ready")
@describe("Can it do its work", tag="operation", answers={200: Ready, 503: Ready})
@public
async def ready() -> Response:
    snapshot = resources().secrets.snapshot
    database, valkey = await asyncio.gather(_database_up(), _valkey_up())
    working = database and snapshot.state != "must_stop"
    whole = valkey and snapshot.state == "healthy"
    state = Ready(
        "not_ready" if not working else "ready" if whole else "degraded",
        "up" if database else "down",
        "up" if valkey else "down",
        snapshot.state,
        snapshot.since.isoformat(),
        snapshot.troubles(),
        {} if snapshot.state == "healthy" else snapshot.endings(),
    )
    return answer(state, 200 if working else 503, {} if working else {"Retry-After": "5"})


async def _database_up() -> bool:
    try:
        async with asyncio.timeout(PATIENCE), resources().database.read() as db:
            await db.execute(text("SELECT 1"))
    except (DomainError, TimeoutError, OSError):
        return False
    return True


async def _valkey_up() -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return bool(await resources().valkey.ping())
    except (ValkeyError, TimeoutError, OSError):
        return False


@blueprint.get("/metrics")
@public
async def metrics() -> Response:
    """Prometheus text, for the networks named in SCRIPTORIUM_METRICS_NETWORKS; for everybody else there is nothing."""
    allowed = settings().metrics_networks
    caller = parse_address(client_address())
    if caller is None or not any(caller in network for network in allowed):
        raise NotFound
    return Response(await extension(Metrics).exposition(), content_type=CONTENT_TYPE)


@blueprint.get("/.well-known/security.txt")
@public
async def security_txt() -> Response:
    """Whom to tell of a weakness (RFC 9116): good for half a year from today, under the one address that counts."""
    here = settings().public_url.rstrip("/")
    lines = [
        f"Contact: {settings().security_contact}",
        f"Expires: {(now() + timedelta(days=180)).strftime('%Y-%m-%dT00:00:00Z')}",
        f"Canonical: {here}/.well-known/security.txt",
        f"Policy: {here}/security-policy",
        "Preferred-Languages: en",
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
