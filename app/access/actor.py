"""The actor: whoever a request or command acts for, as one small immutable value that every service receives."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from app.access.context import Identity
from app.access.needs import Need, RoleNeed, ScopeNeed, UserNeed
from app.access.roles import ADMIN, SCOPES

_ALL_SCOPES = frozenset(ScopeNeed(name) for name in SCOPES)


# A struct, because one or two are made at every request and a frozen dataclass takes ten times as long.
class Actor(Identity, frozen=True, kw_only=True):
    """A caller.  `id` is None for visitors and the system; `status` is the account's; `scopes` None means all.

    `session_id` is set for browser sessions only, `fresh_until` says how long sensitive acts need no new sign-in,
    `address` and `request_id` go into the audit trail; `refusal` says why a credential that was sent was not taken.
    """

    id: UUID | None
    display_name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    status: str = "visitor"
    epoch: int = 0
    scopes: frozenset[str] | None = None
    session_id: UUID | None = None
    credential_id: UUID | None = None
    fresh_until: datetime | None = None
    address: str | None = None
    request_id: str | None = None
    refusal: str = ""

    @property
    def signed_in(self) -> bool:
        """Whether we know who this is; says nothing about what they may do."""
        return self.id is not None

    @property
    def active(self) -> bool:
        """Whether the account may do anything at all."""
        return self.status == "active"

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    def person_id(self) -> UUID:
        """The id of a signed-in actor; calling this for a visitor is a programming error."""
        if self.id is None:
            raise LookupError("this actor is nobody")
        return self.id


VISITOR = Actor(id=None)
SYSTEM = Actor(id=None, auth_type="system", display_name="Scriptorium", status="active")


@lru_cache(maxsize=16_384)
def needs_of(person_id: UUID, roles: frozenset[str], status: str, scopes: frozenset[str] | None) -> frozenset[Need]:
    """What somebody provides: themselves always; roles and scopes only while their account is active.

    Remembered, because a busy caller asks for the same with every request; it depends on nothing but its arguments.
    """
    provided: frozenset[Need] = frozenset({UserNeed(person_id)})
    if status != "active":
        return provided
    granted = _ALL_SCOPES if scopes is None else frozenset(ScopeNeed(name) for name in scopes)
    return provided | frozenset(RoleNeed(role) for role in roles) | granted
