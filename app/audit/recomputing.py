"""Recomputing one event from its row, as the ledger reads it."""

from __future__ import annotations

from typing import Final

import msgspec

from app.audit.chain import Link, event_hash, personal_digest
from app.audit.ledger import Erasures, Row

_decode = msgspec.json.Decoder().decode
# What a row that was tampered with can hold: numbers no event ever had, or a time beyond all calendars.
_IMPOSSIBLE: Final = (msgspec.MsgspecError, OverflowError, TypeError, ValueError)


def link_of(row: Row) -> Link | None:
    """The event as the chain sees it; None when no event can look like that."""
    try:
        return _link(row)
    except _IMPOSSIBLE:
        return None


def _link(row: Row) -> Link:
    return Link._make((*row[:10], _decode(row[10]), row[11]))


def is_as_sealed(row: Row, expected: tuple[bytes, bytes], erasures: Erasures) -> bool:
    """Whether this is the event a seal holds by this id and hash, and what is personal in it is what it was, or was
    erased and that recorded."""
    event_id, *_, digest, actor_name, address, personal, salt = row
    if event_id.bytes != expected[0]:
        return False
    try:
        if event_hash(_link(row)) != expected[1]:
            return False
        if salt is None:
            return actor_name == "" and address is None and personal is None and erasures.cover(row)
        given = None if personal is None else _decode(personal)
        return bool(personal_digest(salt, actor_name, address, given) == digest)
    except _IMPOSSIBLE:
        return False
