"""The identity of the current task, how it got there, and the signals that say so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from blinker import Namespace
from msgspec import Struct
from msgspec.structs import replace

from app.access.needs import Need

_signals = Namespace()
identity_loaded = _signals.signal("identity-loaded", "A request's identity is known; receivers may look, not change.")
identity_changed = _signals.signal("identity-changed", "Somebody signed in, signed out or changed roles.")


class Identity(Struct, frozen=True, kw_only=True):
    """Somebody, recognised by `auth_type`, and the needs they provide.  Immutable: `with_needs` makes another."""

    id: object | None
    auth_type: str | None = None
    provides: frozenset[Need] = frozenset()

    def with_needs(self, *needs: Need) -> Identity:
        """The same identity providing `needs` as well."""
        return replace(self, provides=self.provides | frozenset(needs))


class AnonymousIdentity(Identity, frozen=True, kw_only=True):
    """Nobody in particular."""

    id: None = None


_current: ContextVar[Identity] = ContextVar("scriptorium-identity")
_anonymous = AnonymousIdentity()
IdentityLoader = Callable[[], Awaitable[Identity | None]]


def current_identity() -> Identity:
    """The identity of the running task; anonymous unless one was set."""
    return _current.get(_anonymous)


def set_identity(identity: Identity) -> None:
    """Make `identity` the one of this task and the tasks it starts, and tell `identity_loaded`."""
    _current.set(identity)
    if identity_loaded.receivers:
        identity_loaded.send(identity)


async def load_identity(*loaders: IdentityLoader) -> Identity:
    """Ask each loader in turn and set the first identity one recognises; anonymous when none does."""
    for loader in loaders:
        identity = await loader()
        if identity is not None:
            set_identity(identity)
            return identity
    set_identity(_anonymous)
    return _anonymous
