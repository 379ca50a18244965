"""What a killed broker leaves to its successor: token, lease and login, in memory only.

The supervisor makes a file that exists in no file system (`app.vault.inheritance`) and hands it to every broker it
starts.  A broker that was killed leaves no orphaned token and needs no fresh secret-id: its successor goes on where it
stopped.  Only processes of the same user can reach it, and those could read the broker's memory just as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.vault.credentials import Held
from app.vault.lease import LeaseClock
from app.vault.retiring import Leaving
from app.vault.snapshot import DatabaseLogin

DIGEST_BYTES: Final = 32
MOST: Final = 1024 * 1024


@dataclass(frozen=True)
class Legacy:
    """What one process leaves: its token, the digest of its delivery, its login, and what it had still to revoke."""

    token: str | None = field(default=None, repr=False)
    used: bytes = field(default=b"", repr=False)
    held: Held | None = None
    pending: tuple[Leaving, ...] = ()


class Estate:
    """Reads and writes one estate; a write that was cut short reads as empty."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> Legacy:
        """What the process before left; an empty legacy when there is nothing whole."""
        data = os.pread(self._descriptor, MOST, 0)
        digest, body = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if not body or hashlib.sha256(body).digest() != digest:
            return Legacy()
        left = json.loads(body)
        pending = tuple(
            Leaving(newer, generation, lease, tuple(tokens)) for newer, generation, lease, tokens in left["pending"]
        )
        return Legacy(left["token"], bytes.fromhex(left["used"]), _held_in(left["held"]), pending)

    def write(self, legacy: Legacy) -> None:
        body = json.dumps(
            {
                "token": legacy.token,
                "used": legacy.used.hex(),
                "held": _held_out(legacy.held),
                "pending": [[entry.newer, entry.generation, entry.lease_id, entry.tokens] for entry in legacy.pending],
            }
        ).encode()
        os.pwrite(self._descriptor, hashlib.sha256(body).digest() + body, 0)
        os.ftruncate(self._descriptor, DIGEST_BYTES + len(body))

    def clear(self) -> None:
        """Leave nothing, because nothing is worth anything any more."""
        os.ftruncate(self._descriptor, 0)


def _held_out(held: Held | None) -> dict[str, Any] | None:
    if held is None:
        return None
    login = held.login
    return {
        "lease_id": held.lease_id,
        "full": held.clock.full,
        "generation": login.generation,
        "user": login.user,
        "password": login.password,
        "valid_until": None if login.valid_until is None else login.valid_until.isoformat(),
    }


def _held_in(left: dict[str, Any] | None) -> Held | None:
    if left is None:
        return None
    login = DatabaseLogin(
        left["generation"],
        left["user"],
        left["password"],
        None if left["valid_until"] is None else datetime.fromisoformat(left["valid_until"]),
    )
    return Held(login, left["lease_id"], LeaseClock(left["full"], time.monotonic()))
