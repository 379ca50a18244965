"""No test waits for ever: one that does not end in time fails and says where it stood."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest

LONGEST = 150.0  # seconds, on a machine that is busy with other tests; the usual test takes a tenth of one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bound every asynchronous test, but for the long ones of `make proof`."""
    for item in items:
        if isinstance(item, pytest.Function) and iscoroutinefunction(item.obj) and not item.get_closest_marker("proof"):
            item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @wraps(test)
    async def bounded(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(LONGEST):
            await test(*args, **kwargs)

    return bounded
