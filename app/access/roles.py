"""The roles people hold and the scopes credentials carry: one vocabulary for pages, tokens, keys and OAuth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MEMBER: Final = "member"
SPONSOR: Final = "sponsor"
EDITOR: Final = "editor"
ADMIN: Final = "admin"
ROLES: Final = (MEMBER, SPONSOR, EDITOR, ADMIN)


@dataclass(frozen=True)
class Scope:
    """What a credential may be used for, in words a consent page can show."""

    name: str
    words: str


SCOPES: Final[Mapping[str, Scope]] = {
    scope.name: scope
    for scope in (
        Scope("openid", "Know that it is you"),
        Scope("email", "See your email address"),
        Scope("profile", "See your name"),
        Scope("protected:read", "Read the protected sample data"),
        Scope("profile:read", "See your name, address and roles"),
        Scope("profile:write", "Manage your sessions and keys"),
        Scope("entries:read", "Read the journal"),
        Scope("entries:write", "Publish journal entries in your name"),
        Scope("documents:read", "Read the documents you may see"),
        Scope("documents:write", "Write and hand on documents in your name"),
        Scope("admin:read", "See people, sessions and the audit trail"),
        Scope("admin:write", "Decide who gets in and what they may do"),
    )
}
