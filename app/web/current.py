"""The request and the application at hand, themselves: asking Quart's proxies for one attribute costs four calls each time.

What the proxies read is read here: the context variables of `quart.globals` (`tests/web/test_lean.py` holds them to it).
Outside of a request these raise LookupError.
"""

from __future__ import annotations

from typing import Any

from quart import Quart, Request
from quart.globals import _cv_app, _cv_request


def this_request() -> Request:
    """What `quart.request` stands for."""
    found: Any = _cv_request.get().request_websocket
    return found  # type: ignore[no-any-return]  # a websocket has a context of its own


def this_app() -> Quart:
    """What `quart.current_app` stands for."""
    return _cv_app.get().app


def this_stash() -> Any:
    """What `quart.g` stands for."""
    return _cv_app.get().g
