"""What a verification of the trail finds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

What = Literal["edited", "removed", "inserted", "reordered", "cut off", "seal"]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong: what happened to which event, in which seal, in words.

    `event_id` and what follows are None where they can no longer be known.
    """

    what: What
    words: str
    seal: int | None = None
    event_id: UUID | None = None
    transaction: int | None = None
    sequence: int | None = None
    at: datetime | None = None
    kind: str | None = None


class Report(msgspec.Struct, kw_only=True):
    """What was looked at, and the first fault; counts are of what was found good.

    `good` says that nothing is wrong; warnings may still ask for a look.
    """

    events: int = 0
    seals: int = 0
    signatures: int = 0
    erased: int = 0
    copied: int = 0
    unsealed: int = 0
    unsigned: int = 0
    seconds: float = 0.0
    warnings: list[str] = msgspec.field(default_factory=list)
    fault: Fault | None = None
    good: bool = False


def in_words(report: Report) -> str:
    """The report for people, a line for each thing."""
    looked_at = (
        f"{report.events:,} sealed events in {report.seals:,} seals, {report.signatures:,} signatures checked, "
        f"{report.copied:,} seals compared with the copy, {report.erased:,} events with erased personal fields, "
        f"{report.unsealed:,} events not sealed yet ({report.seconds:.1f} s)"
    )
    lines = [looked_at, *(f"warning: {warning}" for warning in report.warnings)]
    if report.fault is None:
        return "\n".join([*lines, "The audit trail is whole."])
    fault = report.fault
    place = [
        f"{name} {value}"
        for name, value in (
            ("seal", fault.seal),
            ("transaction", fault.transaction),
            ("sequence", fault.sequence),
            ("recorded", fault.at and fault.at.isoformat()),
            ("kind", fault.kind),
        )
        if value is not None
    ]
    return "\n".join([*lines, f"BAD, {fault.what}: {fault.words} ({', '.join(place)})"])


class FaultFoundError(Exception):
    """Ends a verification at the first fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words)
        self.fault = fault
