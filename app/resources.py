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
    """Counts failed tries per account and address block, exactly, over all workers."""

    def attempt(
        self, keys: Mapping[str, str], *, counted: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Attempt]:
        """Reserve a try before looking at the password; `keys` maps limit names to whom they count.

        Raises Throttled when too many have failed.  A failure is noted under `counted` as well, which refuses nothing.
        """
        ...


@dataclass(frozen=True)
class Guess:
    """A password tried on an account from an address block; `tag` stands for the password."""

    tag: str
    account: str
    block: str


USUAL, MANY, JUST_NOW = 0, 1, 2


@dataclass(frozen=True)
class Spread:
    """How widely guesses are spread: each is USUAL, MANY, or JUST_NOW for whoever crossed the line; `wait` in seconds."""

    password: int = USUAL
    block: int = USUAL
    account: int = USUAL
    wait: float = 0.0


class Brake(Protocol):
    """Sees guessing that is spread over accounts or places."""

    async def check(self, guess: Guess, /) -> Spread:
        """Raises Throttled when this password or this block has failed for too many accounts."""

    async def failed(self, guess: Guess, /) -> Spread:
        """Count a guess that was wrong."""


@dataclass(frozen=True)
class Resources:
    """Everything a request may need from outside the process, opened once per worker."""

    settings: Settings
    secrets: SecretSource
    database: Database
    valkey: Valkey
    passwords: PasswordHasher
    failures: FailureCounter
    brake: Brake
