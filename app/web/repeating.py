"""Requests whose database connection was lost before anything was kept are done once more, unseen by the caller.

That is what an emergency costs in which every database login is revoked: the statement under way dies, and the next
connection is refused until the new login is there.  Work that has committed anything is never repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, ParamSpec, TypeVar

import structlog
from quart import has_request_context, request
from quart.ctx import RequestContext
from quart.typing import ResponseReturnValue

from app.database import SITTING, Lost, Sitting
from app.web.lean import LeanQuart

T = TypeVar("T")
P = ParamSpec("P")
TRIES: Final = 3
# Bodies of these kinds are kept whole until the request ends; others may have been read piece by piece.
KEPT_BODIES: Final = frozenset({"", "application/json", "application/x-www-form-urlencoded"})

_log = structlog.get_logger("scriptorium.database")


class RepeatingQuart(LeanQuart):
    """Quart, with views and what runs before them repeated when that is safe."""

    async def preprocess_request(self, request_context: RequestContext | None = None) -> ResponseReturnValue | None:
        return await repeated(super().preprocess_request, request_context)

    async def dispatch_request(self, request_context: RequestContext | None = None) -> ResponseReturnValue:
        return await repeated(super().dispatch_request, request_context)


async def repeated(work: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
    """Do `work`; at most twice more when a connection was lost and nothing was kept.  Raises what `work` raises."""
    sitting = Sitting()
    token = SITTING.set(sitting)
    tries = TRIES
    try:
        while True:
            try:
                return await work(*args, **options)
            except Lost:
                tries -= 1
                if not tries or sitting.kept or not _repeatable():
                    raise
                _log.info("request_repeated")
    finally:
        SITTING.reset(token)


def _repeatable() -> bool:
    return has_request_context() and (request.mimetype or "") in KEPT_BODIES
