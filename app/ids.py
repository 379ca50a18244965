"""Identifiers and time, made in one place: UUIDv7 ids (RFC 9562 5.7) and aware UTC datetimes."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits, so ids sort by time of making."""
    random = int.from_bytes(os.urandom(10))
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
