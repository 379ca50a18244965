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


_TAIL = 20  # hex digits: 80 random bits, of which 8 give way to version and variant
_AT_ONCE = 256
_tails: list[str] = []
os.register_at_fork(after_in_child=_tails.clear)  # or two workers would give out the same


def _fetch_tails() -> None:
    """Asking the kernel once for many costs hardly more than asking for one."""
    digits = os.urandom(_TAIL // 2 * _AT_ONCE).hex()
    _tails.extend(digits[start : start + _TAIL] for start in range(0, len(digits), _TAIL))


def new_request_id() -> str:
    """Make 32 hex digits that sort by time: a UUIDv7 (RFC 9562 5.7) without its dashes."""
    while True:
        try:
            tail = _tails.pop()  # in one step, for threads
            break
        except IndexError:
            _fetch_tails()
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
    return id_of(scope)


def id_of(scope: Any) -> str:
    """Return the identifier of the request with this scope."""
    state: dict[str, str] = scope.setdefault("state", {})
    known = state.get(STATE_KEY)
    if known is None:  # no guard in front: only in tests of single parts
        known = state[STATE_KEY] = new_request_id()
    return known
