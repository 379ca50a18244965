"""Who may do what, as plain values: needs, permissions, identities, roles and the actor; no HTTP and no SQL here.

The model is Flask-Principal's (an identity *provides* needs, a permission *demands* them), typed and async-aware.
Which *rows* somebody may see is not decided here but in each feature's `queries.visible_to`.
"""

from app.access.actor import SYSTEM, VISITOR, Actor
from app.access.context import (
    AnonymousIdentity,
    Identity,
    current_identity,
    identity_changed,
    identity_loaded,
    set_identity,
)
from app.access.needs import ActionNeed, ItemNeed, Need, RoleNeed, ScopeNeed, TypeNeed, UserNeed
from app.access.permissions import Denial, IdentityContext, Permission, Rule
from app.access.roles import ADMIN, EDITOR, MEMBER, ROLES, SCOPES, SPONSOR, Scope

__all__ = [
    "ADMIN",
    "EDITOR",
    "MEMBER",
    "ROLES",
    "SCOPES",
    "SPONSOR",
    "SYSTEM",
    "VISITOR",
    "ActionNeed",
    "Actor",
    "AnonymousIdentity",
    "Denial",
    "Identity",
    "IdentityContext",
    "ItemNeed",
    "Need",
    "Permission",
    "RoleNeed",
    "Rule",
    "Scope",
    "ScopeNeed",
    "TypeNeed",
    "UserNeed",
    "current_identity",
    "identity_changed",
    "identity_loaded",
    "set_identity",
]
