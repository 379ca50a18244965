"""The arithmetic of the chain: how an event, what is personal in it, and a seal become digests.

Every digest is SHA-256 over one compact JSON array in UTF-8: keys in code point order, no blanks, nothing escaped that
need not be, times as whole microseconds since 1970, bytes in hexadecimal.  Any language can recompute it, and nothing
depends on how floats are written, because there are none.  A form once used is never changed: a new one gets a new
name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

EVENT_FORM: Final = "scriptorium-event-1"
SEAL_FORM: Final = "scriptorium-seal-1"
DIGEST: Final = 32
ENTRY: Final = 16 + DIGEST  # bytes of one event in a seal: its id, its hash
SALT: Final = 16
BEGINNING: Final = bytes(DIGEST)  # what the first seal names as the one before it

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SCALARS = frozenset({str, int, bool, type(None)})
_encode = msgspec.json.Encoder(order="deterministic").encode


class Link(NamedTuple):
    """One event as the chain sees it: everything but what is personal, which is there by its digest."""

    id: UUID
    transaction: int
    sequence: int
    at: datetime
    kind: str
    actor_id: UUID | None
    actor_via: str
    target_type: str
    target_id: str
    request_id: str | None
    details: Mapping[str, Any]
    personal_digest: bytes


class Seal(NamedTuple):
    """One seal without its digest."""

    id: int
    previous: bytes
    from_transaction: int
    to_transaction: int
    to_sequence: int
    events: int
    rows: bytes
    sealed_at: datetime


def personal_digest(salt: bytes, actor_name: str, address: str | None, personal: Mapping[str, Any] | None) -> bytes:
    """The digest that stands for what is personal; without the salt nobody can try out who it was."""
    return sha256(salt + _encode((actor_name, address, personal))).digest()


def event_hash(link: Link) -> bytes:
    """The hash of an event, its place in the order included."""
    event_id, transaction, sequence, at, kind, actor_id, via, target_type, target_id, request_id, details, digest = link
    return sha256(
        _encode(
            (
                EVENT_FORM,
                event_id,
                transaction,
                sequence,
                microseconds(at),
                kind,
                actor_id,
                via,
                target_type,
                target_id,
                request_id,
                details,
                digest.hex(),
            )
        )
    ).digest()


def seal_digest(seal: Seal) -> bytes:
    """The digest of a seal, over the one before it and over all its events."""
    return sha256(
        _encode(
            (
                SEAL_FORM,
                seal.id,
                seal.previous.hex(),
                seal.from_transaction,
                seal.to_transaction,
                seal.to_sequence,
                seal.events,
                microseconds(seal.sealed_at),
                sha256(seal.rows).hexdigest(),
            )
        )
    ).digest()


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, which is all PostgreSQL keeps."""
    return (moment - _EPOCH) // _MICROSECOND


def entry(event_id: UUID, digest: bytes) -> bytes:
    """One event as it stands in a seal's `rows`."""
    return event_id.bytes + digest


def entries(rows: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The ids and hashes in a seal's `rows`, in order."""
    for start in range(0, len(rows), ENTRY):
        yield rows[start : start + 16], rows[start + 16 : start + ENTRY]


def check_plain(value: Mapping[str, Any]) -> None:
    """Raise TypeError unless this is text, whole numbers, truth values, nothing, and lists and mappings of such.

    A float may come back from PostgreSQL written otherwise than it went in, and its hash with it.
    """
    for name, part in value.items():
        if type(name) is not str:
            raise TypeError(f"a name in the details of an event is no text: {name!r}")
        if type(part) not in _SCALARS:
            _check_part(name, part)


def _check_part(name: str, part: Any) -> None:
    if isinstance(part, Mapping):
        check_plain(part)
    elif isinstance(part, list | tuple):
        for item in part:
            if type(item) not in _SCALARS:
                _check_part(name, item)
    else:
        raise TypeError(f"the detail {name!r} of an event is a {type(part).__name__}")
