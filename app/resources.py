"""What is opened at start and closed at stop: secrets, database, Valkey, the password thread and the failure counter."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from valkey.asyncio import Valkey

from app.database import Database
from app.passwords import PasswordHasher
from app.settings import Settings
from app.vault.snapshot import SecretSource


class Attempt(Protocol):
    """One try at a password; it counts as failed unless it says that it succeeded or was abandoned."""

    def succeeded(self) -> None: ...
    def abandoned(self) -> None: ...


class FailureCounter(Protocol):
    """Counts failed tries per account and address block, exactly, over all workers (SPEC 1.2)."""

    def attempt(self, keys: Mapping[str, str]) -> AbstractAsyncContextManager[Attempt]:
        """Reserve a try before looking at the password; `keys` maps limit names to whom they count.

        Raises Throttled when too many have failed.
        """
        ...


@dataclass(frozen=True)
class Resources:
    """Everything a request may need from outside the process, opened once per worker."""

    settings: Settings
    secrets: SecretSource
    database: Database
    valkey: Valkey
    passwords: PasswordHasher
    failures: FailureCounter
