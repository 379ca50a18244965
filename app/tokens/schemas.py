"""What programs send to get tokens and what they receive."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

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
