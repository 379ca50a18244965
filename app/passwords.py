"""Passwords: normalised, peppered, hashed with argon2id on a thread of their own, and never anywhere else.

Parameters are OWASP's floor for argon2id (19 MiB, t=2, p=1; Password Storage Cheat Sheet); the library's default costs
five times as much.  The pepper is a key ring from Vault: the password is run through HMAC-SHA-256 under it first, so a
stolen table alone cannot be guessed against, and its version stands before the hash so the pepper can be rotated.

Normalisation is NFC, the OpaqueString profile of RFC 8265: the same phrase typed on two keyboards is the same password.
Nothing is trimmed, folded or cut.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from passlib.context import CryptContext

from app.errors import Unavailable
from app.guessable import is_guessable
from app.vault.snapshot import KeyRing

T = TypeVar("T")
MIN_LENGTH = 15
MAX_LENGTH = 1024
SHORTEST_KNOWN_WORD = 4


@dataclass(frozen=True)
class Verdict:
    """Whether the password was right, and whether its hash should be made anew (weaker parameters, older pepper)."""

    right: bool
    outdated: bool = False


def _lower_priority() -> None:
    # A hash takes 19 ms of CPU; niced, twenty at once add under a millisecond to other requests (docs/decisions).
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class PasswordHasher:
    """Hashes and verifies on one niced thread; more than `queue` waiting callers are sent away with Unavailable."""

    def __init__(self, pepper: Callable[[], KeyRing], *, queue: int = 40) -> None:
        self._pepper = pepper
        self._context = CryptContext(
            schemes=["argon2"], argon2__type="ID", argon2__memory_cost=19456, argon2__time_cost=2, argon2__parallelism=1
        )
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_lower_priority)
        self._queue = queue
        self._waiting = 0
        self.checks = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The string to store: `<pepper version>$<argon2 hash>`."""
        key = self._pepper().signing
        hashed = await self._run(lambda: self._context.hash(_pepper(key.value, password)))
        return f"{key.version}{hashed}"

    def tag(self, password: str) -> str:
        """A short keyed hash by which one password tried twice is known again for a while, and which leads back to none.

        64 bits: enough to tell passwords apart, and so few that even who has the key finds many that fit.
        """
        key = self._pepper().signing
        return hmac.new(key.value, b"tried\0" + _normal(password), sha256).hexdigest()[:16]

    async def verify(self, password: str, stored: str | None) -> Verdict:
        """Check a password; `None` for a person who does not exist costs the same time (ASVS 6.3.8)."""
        self.checks += 1
        if stored is None:
            if self._decoy is None:
                self._decoy = await self.hash(secrets.token_urlsafe(24))
            await self._verify(password, self._decoy)
            return Verdict(False)
        return await self._verify(password, stored)

    async def _verify(self, password: str, stored: str) -> Verdict:
        version, _, rest = stored.partition("$")
        ring = self._pepper()
        key = ring.find(int(version)) if version.isdigit() else None
        if key is None:
            return Verdict(False)
        hashed = f"${rest}"
        peppered = _pepper(key.value, password)
        right = await self._run(lambda: self._context.verify(peppered, hashed))
        outdated = right and (key.version != ring.signing.version or self._context.needs_update(hashed))
        return Verdict(right, outdated)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._queue:
            raise Unavailable("Many people are signing in at once. Try again in a moment.", retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the thread end; hashes under way finish."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _pepper(key: bytes, password: str) -> str:
    return b64encode(hmac.new(key, _normal(password), sha256).digest()).decode()


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def objections(password: str, *, email: str, display_name: str) -> list[str]:
    """What is wrong with a new password, in words for its owner; nothing when it is fine (NIST SP 800-63B-4 3.1.1)."""
    if len(password) < MIN_LENGTH:
        return [f"Use at least {MIN_LENGTH} characters; a sentence you can remember is fine."]
    if len(password) > MAX_LENGTH:
        return [f"Use at most {MAX_LENGTH} characters."]
    folded = password.casefold()
    known = [email.casefold(), email.partition("@")[0].casefold(), display_name.casefold(), "scriptorium"]
    rest = folded
    for word in sorted((word for word in known if len(word) >= SHORTEST_KNOWN_WORD), key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < MIN_LENGTH // 2:
        return ["Do not build it from your name, your address or the name of this site."]
    if is_guessable(password):
        return ["This is among the passwords that are tried first. Use a few words that do not belong together."]
    return []
