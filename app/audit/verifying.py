"""Verifying the trail: everything recomputed, from the first event to the last seal, and held against the copies.

Memory stays the same however long the trail is; it ends at the first fault, because after it nothing can be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.audit import copying
from app.audit.chain import BEGINNING, ENTRY, Seal, entries, seal_digest
from app.audit.copying import CopiedSeal, CopyDamagedError
from app.audit.diagnosis import diagnose
from app.audit.ledger import Erasures, Ledger, Row, reading
from app.audit.recomputing import is_as_sealed
from app.audit.signing import Signatures
from app.audit.verdict import Fault, FaultFoundError, Report, What
from app.database import Database
from app.ids import now

LATE: Final = timedelta(seconds=60)  # after which something unsealed or unsigned is worth a warning

Progress = Callable[[int, int], None]


async def verify(
    database: Database, public_keys: Mapping[int, bytes], copies: Sequence[Path], progress: Progress
) -> Report:
    """Verify the whole trail; `progress` is told how many events of how many are done.

    `public_keys` are Vault's for the audit key, by version.  `copies` that do not exist give a warning.
    """
    began = time.monotonic()
    report = Report()
    there = [path for path in copies if path.exists()]
    if len(there) < max(1, len(copies)):
        missing = ", ".join(str(path) for path in copies if path not in there) or "none was named"
        report.warnings.append(
            f"without a copy of the seals ({missing}) nobody can tell whether the newest were cut off"
        )
    try:
        async with reading(database) as ledger:
            await _Walk(ledger, Signatures(public_keys), _Copies(copying.read(there)), report, progress).run()
    except FaultFoundError as found:
        report.fault = found.fault
    except CopyDamagedError as error:
        report.fault = Fault(what="seal", words=f"a copy of the seals was tampered with: {error}")
    report.good = report.fault is None
    report.seconds = round(time.monotonic() - began, 3)
    return report


class _Copies:
    """Steps through the copied seals beside those in the database."""

    def __init__(self, copied: Iterator[CopiedSeal]) -> None:
        self._copied = copied
        self.next = next(copied, None)

    def of(self, number: int) -> Iterator[CopiedSeal]:
        """The copies of this seal, after which those of later ones come."""
        while self.next is not None and self.next.seal <= number:
            yield self.next
            self.next = next(self._copied, None)


@dataclass
class _Walk:
    ledger: Ledger
    signatures: Signatures
    copies: _Copies
    report: Report
    progress: Progress
    digest: bytes = BEGINNING
    number: int = 0
    place: tuple[int, int] = (-1, -1)
    unsigned_since: tuple[int, datetime] | None = None
    retired: int = 0
    erasures: Erasures = field(init=False)

    async def run(self) -> None:
        """Walk from the first seal to the last; raises FaultFoundError."""
        self.erasures = await self.ledger.erasures()
        total = (await self.ledger.ask("SELECT coalesce(sum(events), 0) FROM audit_seals"))[0][0]
        async for row in self.ledger.seals():
            seal = Seal(row[0], row[1], *row[3:9])
            self._check_link(seal, row[2])
            self._check_signature(seal, row[2], row[9], row[10])
            self._check_copies(seal, row[2])
            await self._check_events(seal)
            self.number, self.digest, self.place = seal.id, row[2], (seal.to_transaction, seal.to_sequence)
            self.report.seals += 1
            self.report.events += seal.events
            self.progress(self.report.events, int(total))
        self._check_end()
        await self._look_beyond()

    def _check_link(self, seal: Seal, digest: bytes) -> None:
        if seal.id != self.number + 1:
            raise _fault("seal", f"seal {self.number + 1} is gone; after {self.number} comes {seal.id}", seal.id)
        if seal.previous != self.digest:
            raise _fault("seal", f"seal {seal.id} does not continue the one before it", seal.id)
        if len(seal.rows) != seal.events * ENTRY or seal_digest(seal) != digest:
            raise _fault("seal", f"seal {seal.id} was changed", seal.id)

    def _check_signature(self, seal: Seal, digest: bytes, version: int | None, signature: bytes | None) -> None:
        if version is None or signature is None:
            self.unsigned_since = self.unsigned_since or (seal.id, seal.sealed_at)
            self.report.unsigned += 1
            return
        if self.unsigned_since is not None:
            # Seals are signed in order, so there never was a gap.
            number = self.unsigned_since[0]
            raise _fault("seal", f"the signature of seal {number} is gone; later seals are signed", number)
        if self.signatures.retired(version):
            self.retired += 1
        elif not self.signatures.holds(version, signature, digest):
            raise _fault("seal", f"the signature of seal {seal.id} is not Vault's: the seal was forged", seal.id)
        else:
            self.report.signatures += 1

    def _check_copies(self, seal: Seal, digest: bytes) -> None:
        for copied in self.copies.of(seal.id):
            if copied.digest != digest.hex():
                raise _fault("seal", f"seal {seal.id} is not the one that was copied: it was replaced", seal.id)
            if self.unsigned_since is not None:
                raise _fault("seal", f"seal {seal.id} was signed when it was copied; its signature is gone", seal.id)
            self.report.copied += 1

    async def _check_events(self, seal: Seal) -> None:
        found = await self.ledger.take(seal.events)
        erasures, erased = self.erasures, 0
        for position, expected in enumerate(entries(seal.rows)):
            row: Row | None = found[position] if position < len(found) else None
            if row is None or not is_as_sealed(row, expected, erasures):
                raise FaultFoundError(await diagnose(self.ledger, seal.id, expected, row))
            erased += row[-1] is None
        self.report.erased += erased

    def _check_end(self) -> None:
        if self.copies.next is not None:
            raise _fault(
                "cut off",
                f"the copy holds seal {self.copies.next.seal}, and the database ends with {self.number}: "
                "the newest sealed events were cut off",
                self.copies.next.seal,
            )

    async def _look_beyond(self) -> None:
        """Warn about what should have been sealed or signed by now."""
        beyond = await self.ledger.ask(
            "SELECT count(*), min(at) FROM audit_events WHERE (transaction, sequence) > ($1, $2)", *self.place
        )
        self.report.unsealed, oldest = beyond[0]
        if oldest is not None and now() - oldest > LATE:
            self.report.warnings.append(
                f"{self.report.unsealed} events are not sealed yet, the oldest of {oldest.isoformat()}: "
                "is a worker running, or a transaction left open?"
            )
        if self.unsigned_since is not None and now() - self.unsigned_since[1] > LATE:
            self.report.warnings.append(
                f"{self.report.unsigned} seals wait for their signature since {self.unsigned_since[1].isoformat()}: "
                "does Vault answer?"
            )
        if self.retired:
            self.report.warnings.append(
                f"{self.retired} seals were signed by key versions Vault no longer gives out; "
                "only later ones vouch for them"
            )


def _fault(what: What, words: str, seal: int) -> FaultFoundError:
    return FaultFoundError(Fault(what=what, words=words, seal=seal))
