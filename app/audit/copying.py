"""The copy of the seals that lies outside the database: one JSON line for each signed seal, only ever added to.

Whoever can rewrite the database can rewrite chain and signatures' rows together, or cut off the newest; not what was
already carried off.  Every host keeps the seals it signed itself; the log carries the same facts elsewhere.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec


class CopiedSeal(msgspec.Struct, frozen=True):
    """A signed seal as it is carried off; `digest` and `signature` are hexadecimal."""

    seal: int
    digest: str
    events: int
    to_transaction: int
    to_sequence: int
    sealed_at: datetime
    key_version: int
    signature: str


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(CopiedSeal)


class CopyDamagedError(ValueError):
    """A line of a copy is no copied seal, or stands where it cannot have been added."""


def append(path: Path, seal: CopiedSeal) -> None:
    """Add one line and have it on the disk; raises OSError.  One write, so workers that append do not mix lines."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = _ENCODER.encode(seal) + b"\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line  # a line that was cut short by a crash stays alone
        written = os.write(file, line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes could be added to {path}")
        os.fsync(file)
    finally:
        os.close(file)


def read(paths: Iterable[Path]) -> Iterator[CopiedSeal]:
    """The seals of several hosts' copies as one, by number, a line at a time.

    Raises CopyDamagedError for a copy that is out of order, and OSError.  Lines cut short by a crash are passed over:
    the seal was then added again.
    """
    return heapq.merge(*(_lines(path) for path in paths), key=lambda copied: copied.seal)


def _lines(path: Path) -> Iterator[CopiedSeal]:
    before = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                copied = _DECODER.decode(line)
            except msgspec.DecodeError:
                continue
            if copied.seal < before:
                raise CopyDamagedError(f"line {number} of {path} holds seal {copied.seal}, after seal {before}")
            before = copied.seal
            yield copied
