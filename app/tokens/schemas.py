"""What programs send to get tokens and what they receive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.web.fields import Password, Title

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
Loose = Annotated[str, msgspec.Meta(max_length=4096)]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program signs in for a person; `username` is accepted in place of `email`."""

    password: Loose
    email: Loose | None = None
    username: Loose | None = None
    otp: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class TokenPair(msgspec.Struct, frozen=True):
    """An access token, how many seconds it lives, and the refresh token that gets the next one."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str
    scope: str


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token to exchange."""

    refresh_token: Loose


class Revoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An access or refresh token whose family is to end."""

    token: Loose


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another password, and the present one to prove who asks."""

    current_password: Loose
    password: Password


ScopeName = Literal[
    "openid",
    "email",
    "profile",
    "protected:read",
    "profile:read",
    "profile:write",
    "entries:read",
    "entries:write",
    "documents:read",
    "documents:write",
    "admin:read",
    "admin:write",
]
Network = Annotated[str, msgspec.Meta(max_length=64)]


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make: what it is for, what it may do, and if wanted until when and from where."""

    name: Title
    scopes: Annotated[list[ScopeName], msgspec.Meta(min_length=1, max_length=20)]
    expires_at: AwareTime | None = None
    networks: Annotated[list[Network], msgspec.Meta(max_length=20)] = []


class KeyView(msgspec.Struct, frozen=True):
    """A key as its owner sees it; `hint` is its beginning."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    networks: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class MadeKey(KeyView, frozen=True, kw_only=True):
    """A new key.  `key` is shown this once and kept nowhere."""

    key: str


class KeyList(msgspec.Struct, frozen=True):
    """The caller's keys, newest first."""

    items: list[KeyView]
    next_cursor: str | None
