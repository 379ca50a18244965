"""What comes in about clients and goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.tokens.schemas import ScopeName
from app.web.fields import Title

RedirectUri = Annotated[str, msgspec.Meta(max_length=500)]


class NewClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client to register.  A public one (a browser or phone app) gets no secret and must use PKCE alone."""

    name: Title
    kind: Literal["confidential", "public"] = "confidential"
    redirect_uris: Annotated[list[RedirectUri], msgspec.Meta(max_length=10)] = []
    scopes: Annotated[list[ScopeName], msgspec.Meta(min_length=1, max_length=20)] = msgspec.field(
        default_factory=lambda: ["openid"]
    )


class ClientView(msgspec.Struct, frozen=True):
    """A client as its owner and administrators see it."""

    client_id: UUID
    name: str
    kind: Literal["confidential", "public"]
    redirect_uris: list[str]
    scopes: list[str]
    owner_id: UUID
    created_at: datetime


class MadeClient(ClientView, frozen=True, kw_only=True):
    """A new client.  `client_secret` is shown this once and kept nowhere; public clients have none."""

    client_secret: str | None


class ClientList(msgspec.Struct, frozen=True):
    """Clients, newest first."""

    items: list[ClientView]
    next_cursor: str | None


class ConnectedApplication(msgspec.Struct, frozen=True):
    """A program that holds tokens for the caller."""

    client_id: str
    name: str
    scopes: list[str]
    since: datetime


class ConnectedList(msgspec.Struct, frozen=True):
    """Programs connected to the caller, newest first."""

    items: list[ConnectedApplication]
    next_cursor: str | None


class ProgramView(msgspec.Struct, frozen=True):
    """A program that signed in with the caller's password and still holds tokens."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    ends_at: datetime
    current: bool


class ProgramList(msgspec.Struct, frozen=True):
    """Programs signed in with the caller's password, newest first."""

    items: list[ProgramView]
    next_cursor: str | None
