"""Requests without a body, most of all: nothing to wait for, nothing to measure, and a client whose leaving is told.

Quart makes two events, a lock and a task per request in order to receive a body, and finds out with the same task that
the client left.  When the head announces no body and our own server tells of a lost connection (`Leaving`), none of
that is needed.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, Final

from quart import Request
from quart.wrappers.request import Body

from app.web.asgi import RawHeaders

LEAVING: Final = "scriptorium.leaving"
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class Leaving:
    """Between server and application: whether the client of this request has gone, and whom that ends."""

    __slots__ = ("gone", "task")

    def __init__(self) -> None:
        self.gone = False
        self.task: asyncio.Task[Any] | None = None

    def happened(self) -> None:
        """The connection is lost: nobody waits for the answer any more."""
        self.gone = True
        if self.task is not None:
            self.task.cancel()


def announces_no_body(headers: RawHeaders) -> bool:
    """Whether a request with this head has no body (RFC 9112 6.3)."""
    return _FRAMING.isdisjoint([name for name, _ in headers])


class _NoBody(Body):
    def __init__(self) -> None:
        super().__init__(None, None)
        self.set_complete()

    def append(self, data: bytes) -> None:
        """Nothing was announced, so nothing comes; this one is shared by all."""

    def clear(self) -> None:
        """It is."""


_NOTHING: Final = _NoBody()


class _Bodyless:
    content_length = None

    @staticmethod
    def body_class(*_: object) -> Body:
        return _NOTHING


@cache
def bodyless(kind: type[Request]) -> type[Request]:
    """The same kind of request, for those that have no body."""
    return type(f"Bodyless{kind.__name__}", (_Bodyless, kind), {})
