"""What Vault grants and answers, read out of its JSON: tokens, logins, and the fields asked for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.vault.errors import Down


@dataclass(frozen=True)
class TokenGrant:
    """A fresh token and how many seconds it lives without renewal."""

    token: str = field(repr=False)
    ttl: float


@dataclass(frozen=True)
class LoginGrant:
    """A database login with its lease; the lease id is as secret as the password."""

    lease_id: str = field(repr=False)
    ttl: float
    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class StaticGrant:
    """A lasting login: seconds until Vault changes its password, and how often it does."""

    ttl: float
    period: float
    user: str = field(repr=False)
    password: str = field(repr=False)


def pick(answer: Any, *names: str) -> Any:
    """A field of an answer; something else than Vault listening there must not end in a KeyError."""
    for name in names:
        if not isinstance(answer, Mapping) or name not in answer:
            raise Down(f"what answers there is not Vault: the answer has no '{name}'")
        answer = answer[name]
    return answer


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
