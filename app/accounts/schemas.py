"""What comes in about people and what goes out, for pages and the API alike."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.accounts.life import Status
from app.web.fields import DisplayName, Email, Password

SignUpRole = Literal["member", "sponsor", "editor"]


class SignUpForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application for an account by a page form; the page's address says for which role."""

    email: Email
    display_name: DisplayName
    password: Password


class SignUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application for an account."""

    email: Email
    display_name: DisplayName
    password: Password
    role: SignUpRole = "member"


class SignedUp(msgspec.Struct, frozen=True):
    """The answer to an application; the same whether or not the address was known (ASVS 6.3.8)."""

    id: UUID
    status: Status
    email: str
    display_name: str
    role: SignUpRole


class SignInForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign-in; anything may be typed here, a wrong guess is not a malformed one."""

    email: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    password: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    next: Annotated[str, msgspec.Meta(max_length=2048)] = ""


class Me(msgspec.Struct, frozen=True):
    """The caller, as the API shows them to themselves."""

    id: UUID
    email: str
    display_name: str
    roles: list[str]
    status: Status


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people may change about themselves."""

    display_name: DisplayName


class SessionView(msgspec.Struct, frozen=True):
    """One browser session of the caller."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class PersonView(msgspec.Struct, frozen=True):
    """A person as administrators see them."""

    id: UUID
    email: str
    display_name: str
    roles: list[str]
    status: Status
    status_until: datetime | None
    created_at: datetime


class ChangeView(msgspec.Struct, frozen=True):
    """One decision about a person."""

    at: datetime
    actor_name: str
    from_status: str | None
    to_status: str
    from_roles: list[str] | None
    to_roles: list[str]
    reason: str
    message: str
    until: datetime | None
