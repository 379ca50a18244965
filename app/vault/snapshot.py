"""The frozen values the application sees instead of Vault, and the port through which it sees them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, Protocol

from app.errors import Unavailable
from app.settings import Settings

KeyState = Literal["published", "signing", "retired"]
State = Literal["healthy", "degraded", "must_stop"]
Refreshable = Literal["rings", "database"]

RING_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "session": "key",
        "csrf": "key",
        "token": "private_key",
        "refresh": "key",
        "pepper": "key",
        "personal": "wrapped_key",
    }
)
PERSONAL = "personal"  # there only where something personal is sealed: with a mail server


def rings_of(settings: Settings) -> tuple[str, ...]:
    """The rings an application with these settings holds."""
    return tuple(name for name in RING_FIELDS if name != PERSONAL or settings.smtp_host)


@dataclass(frozen=True)
class Key:
    """One version of a key: published keys verify, the signing one also signs.  The KV version is the key id."""

    version: int
    value: bytes = field(repr=False)
    created: datetime
    state: KeyState
    signs_from: datetime


@dataclass(frozen=True)
class KeyRing:
    """The usable versions of one key, newest first."""

    name: str
    keys: tuple[Key, ...]

    @property
    def signing(self) -> Key:
        """The key to sign with; raises Unavailable when every version was destroyed."""
        for key in self.keys:
            if key.state == "signing":
                return key
        raise Unavailable(f"The {self.name} key was withdrawn", code="key_withdrawn", retry_after=30)

    @property
    def verifying(self) -> tuple[Key, ...]:
        return self.keys

    def find(self, version: int) -> Key | None:
        """The usable key of that version; None when unknown, retired or destroyed."""
        for key in self.keys:
            if key.version == version:
                return key
        return None


@dataclass(frozen=True)
class DatabaseLogin:
    """A PostgreSQL login; `generation` only grows, also over restarts, and stamps every connection made with it.

    A static login has no end of its own (`valid_until` is None): it is good until PostgreSQL refuses it.
    """

    generation: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    valid_until: datetime | None

    def seconds_left(self, now: datetime | None = None) -> float:
        return math.inf if self.valid_until is None else (self.valid_until - (now or datetime.now(UTC))).total_seconds()


@dataclass(frozen=True)
class BucketKeys:
    """What opens the bucket attached files lie in."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class Snapshot:
    """Everything secret the application needs, at one moment; replaced as a whole, never changed."""

    generation: int
    login: DatabaseLogin
    rings: Mapping[str, KeyRing]
    valkey_password: str = field(repr=False)
    smtp_password: str = field(repr=False)
    state: State
    since: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    bucket: BucketKeys | None = None

    def troubles(self) -> list[str]:
        """What cannot be renewed or read now, by name."""
        return [str(trouble["subject"]) for trouble in self.facts.get("troubles", ())]

    def endings(self) -> dict[str, str]:
        """When what we hold ends unless it can be renewed (RFC 3339)."""
        token = self.facts.get("token", {}).get("ends")
        login = self.login.valid_until
        return ({"database_login": login.isoformat()} if login else {}) | ({"vault_token": token} if token else {})


@dataclass(frozen=True)
class Turned:
    """What a rotation came to: new versions by ring, the new login's generation, and how many workers took both up."""

    versions: Mapping[str, int] = field(default_factory=dict)
    login: int | None = None
    workers: int = 0

    def as_wire(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Turned:
        return cls({name: int(number) for name, number in data["versions"].items()}, data["login"], data["workers"])


Listener = Callable[[Snapshot], None]
LiveConnections = Callable[[], Mapping[int, int]]


class SecretSource(Protocol):
    """What the application sees of Vault; `Holder` serves one process, `Subscriber` attaches to the broker."""

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot; only before `start` has returned there is none, and reading it is an error."""

    def on_change(self, callback: Listener) -> None:
        """Call `callback` in the event loop after every replacement of the snapshot."""

    def count_connections(self, live: LiveConnections) -> None:
        """Let the source ask how many connections of each login generation are open, so that it revokes none in use."""

    async def start(self) -> None:
        """Return once the first snapshot is there; raises VaultStartError with an exit code and one sentence."""

    async def stop(self) -> None:
        """Let go of everything; the holder of the token revokes its lease and token."""

    async def refresh(self, what: Refreshable) -> None:
        """Fetch now; callers at the same time share one fetch, and it is rate-limited.  Raises Unavailable."""

    async def encrypt(self, key: str, plaintext: bytes, context: bytes) -> str:
        """Encrypt with a key that never leaves Vault, bound to `context`; raises Unavailable after a bounded wait."""

    async def decrypt(self, key: str, ciphertext: str, context: bytes) -> bytes:
        """Undo `encrypt`; raises Unavailable, or Invalid when text and context do not belong together."""

    async def sign(self, key: str, data: bytes) -> str:
        """Sign with a key that never leaves Vault; raises Unavailable after a bounded wait."""

    async def sign_token(self, data: bytes, version: int) -> bytes:
        """ES256 over `data` with this version of the token key that never leaves Vault; raises Unavailable after a
        bounded wait, and Invalid when Vault knows no such version."""

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        """The public halves of a signing key by version, as raw bytes; raises Unavailable after a bounded wait."""

    async def rotate(self, what: str) -> Turned:
        """Rotate a ring or "database" and wait for every worker; raises Invalid or Unavailable."""

    async def status(self) -> Mapping[str, Any]:
        """How every secret of this host stands, without values; raises Unavailable."""
