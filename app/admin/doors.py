"""The door of the administration, the same for every view in it: an administrator, from where administrators may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from app.access import ADMIN
from app.web.guards import from_network, requires

P = ParamSpec("P")
R = TypeVar("R")


def administrators(
    *, scope: str | None = None, fresh: bool = False
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Active administrators calling from `settings.admin_networks` (anywhere when none is configured)."""
    return lambda view: from_network("admin_networks")(requires(ADMIN, scope=scope, fresh=fresh)(view))
