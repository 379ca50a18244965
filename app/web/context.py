"""What a route reaches for: the resources of this process, the actor of this request, and a transaction in plain sight."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import VISITOR, Actor, current_identity
from app.reader import Reader
from app.resources import Resources
from app.settings import Settings
from app.web.current import this_app

EXTENSION = "scriptorium"
T = TypeVar("T")


def resources() -> Resources:
    """What was opened when this process started."""
    found: Resources = this_app().extensions[EXTENSION]
    return found


def extension(kind: type[T]) -> T:
    """What this process holds one of, by its type; the factory put it there."""
    found: T = this_app().extensions[kind.__name__]
    return found


def settings() -> Settings:
    """The settings of this process."""
    return resources().settings


def current_actor() -> Actor:
    """Whoever this request acts for; a visitor until somebody was recognised."""
    identity = current_identity()
    return identity if isinstance(identity, Actor) else VISITOR


def transaction() -> AbstractAsyncContextManager[AsyncSession]:
    """`async with transaction() as db:` commits at its end, rolls back on any error or when the client goes away."""
    return resources().database.transaction()


def reading() -> AbstractAsyncContextManager[Reader]:
    """`async with reading() as db:` for single reads that need no snapshot of their own (autocommit)."""
    return resources().database.read()
