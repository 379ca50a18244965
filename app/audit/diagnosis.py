"""Naming what happened to the first event that does not fit its seal."""

from __future__ import annotations

from uuid import UUID

from app.audit.chain import Link, event_hash
from app.audit.ledger import Ledger, Row
from app.audit.recomputing import link_of
from app.audit.verdict import Fault, What


async def diagnose(ledger: Ledger, seal: int, expected: tuple[bytes, bytes], found: Row | None) -> Fault:
    """Tell what became of the event a seal expects, given the one that stands in its place (None: the trail ends)."""
    expected_id, expected_hash = UUID(bytes=expected[0]), expected[1]
    if found is not None and found[0] == expected_id:
        return fault_of("edited", "was changed after it was sealed", seal, found)
    there = await ledger.event(expected_id)
    if there is not None:
        if found is not None and await ledger.sealed_in(found[0].bytes) is None:
            return fault_of("inserted", "stands between sealed events and was never sealed", seal, found)
        return fault_of("reordered", "no longer stands where it was sealed", seal, there)
    if found is not None and _hash_under(found, expected_id) == expected_hash:
        return fault_of("edited", f"was given another id; it was sealed as {expected_id}", seal, found)
    return Fault(
        what="cut off" if found is None else "removed",
        words=f"event {expected_id} was sealed and is gone" + (", with all after it" if found is None else ""),
        seal=seal,
        event_id=expected_id,
    )


def fault_of(what: What, words: str, seal: int | None, row: Row) -> Fault:
    """A fault of an event that is there."""
    return Fault(
        what=what,
        words=f"event {row[0]} {words}",
        seal=seal,
        event_id=UUID(bytes=row[0].bytes),
        transaction=row[1],
        sequence=row[2],
        at=row[3],
        kind=row[4],
    )


def _hash_under(row: Row, event_id: UUID) -> bytes | None:
    link: Link | None = link_of(row)
    return None if link is None else event_hash(link._replace(id=event_id))
