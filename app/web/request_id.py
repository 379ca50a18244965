"""The identifier that ties an answer, its log lines and its audit rows together."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from quart import has_request_context, has_websocket_context, websocket

from app.web.current import this_request

STATE_KEY = "scriptorium.request_id"

_ACCEPTABLE = re.compile(rb"[A-Za-z0-9-]{8,64}")


def new_request_id() -> str:
    """Make 32 hex digits that sort by time: a UUIDv7 (RFC 9562 5.7) without its dashes."""
    tail = os.urandom(10).hex()
    return f"{time.time_ns() // 1_000_000:012x}7{tail[1:4]}8{tail[5:]}"


def acceptable(value: bytes) -> bool:
    """Tell whether an identifier from a trusted proxy may be carried on."""
    return _ACCEPTABLE.fullmatch(value) is not None


def request_id() -> str:
    """Return the identifier of the request being answered, or an empty string outside of one."""
    if has_request_context():
        scope: Any = this_request().scope
    elif has_websocket_context():
        scope = websocket.scope
    else:
        return ""
    state: dict[str, str] = scope.setdefault("state", {})
    known = state.get(STATE_KEY)
    if known is None:  # no guard in front: only in tests of single parts
        known = state[STATE_KEY] = new_request_id()
    return known
