"""Laying seals over the trail: a task in every worker, one of which at a time does the work, whichever host it is on.

Writers never wait for it: it takes no lock they need and only reads rows whose transactions are over.  A batch ends
before the oldest running transaction (`pg_snapshot_xmin`), because whatever has a lower number is committed or gone, so
no row can turn up later among those already sealed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import copying, sealing_queries
from app.audit.chain import BEGINNING, Link, Seal, entry, event_hash, seal_digest
from app.audit.copying import CopiedSeal
from app.audit.signing import KEY, parse_signature
from app.database import Database
from app.errors import Unavailable
from app.ids import now
from app.settings import Settings
from app.tasks import end
from app.vault.snapshot import SecretSource

BATCH: Final = 500  # events a seal holds at most: about 5 ms of a worker's time
PAUSE: Final = 2.0  # seconds between two looks; a row is sealed at most two of them after its transaction ended
AT_LEAST_APART: Final = timedelta(seconds=1.5)  # or many workers would make many small seals
LONGEST_PAUSE: Final = 4.0  # seconds after a failure
LAST_SIGNATURE: Final = 5.0  # seconds a worker that stops gives the one it is at

_log = structlog.get_logger("scriptorium.audit")


class Sealer:
    """Seals and signs for as long as the worker lives, and goes on after whatever went wrong."""

    def __init__(
        self, database: Database, secrets: SecretSource, settings: Settings, clock: Callable[[], datetime] = now
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._copy = settings.audit_copy
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._signing = asyncio.Lock()

    async def start(self) -> None:
        """Begin; two tasks, because signing waits for Vault and sealing must not."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._go_on("seal", self._seal_if_due), name="audit-seal"),
            loop.create_task(self._go_on("sign", self.sign), name="audit-sign"),
        ]

    async def stop(self) -> None:
        """Stop; what is not sealed or signed yet, the next worker does.

        Not in the middle of a signature: a seal that was carried off and has lost its signature looks like one that
        somebody tampered with, until it is signed again.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SIGNATURE), self._signing:
                await end(*self._tasks)
        await end(*self._tasks)
        self._tasks = []

    async def seal(self) -> int:
        """Lay one seal over what can be sealed; returns how many events, 0 also while another sealer is at it."""
        return await self._seal(at_once=True)

    async def sign(self) -> int:
        """Sign the oldest seal that is not signed, carry it off, and say so; returns 1 or, with nothing to do, 0.

        Raises Unavailable while Vault is away; the seal then waits its turn.
        """
        async with self._signing, self._database.transaction() as db:
            if not await db.scalar(sealing_queries.TRY_SIGNING):
                return 0
            row = (await db.execute(sealing_queries.FIRST_UNSIGNED)).first()
            if row is None:
                return 0
            version, signature = parse_signature(await self._secrets.sign(KEY, row.digest))
            copied = CopiedSeal(
                row.id,
                row.digest.hex(),
                row.events,
                row.to_transaction,
                row.to_sequence,
                row.sealed_at,
                version,
                signature.hex(),
            )
            # First off the database, then into it: a crash in between adds the same line twice, which does no harm.
            await asyncio.to_thread(copying.append, self._copy, copied)
            await db.execute(
                sealing_queries.ADD_SIGNATURE,
                {"seal_id": row.id, "key_version": version, "signature": signature, "signed_at": self._clock()},
            )
        _log.info(
            "audit.sealed", seal=row.id, digest=copied.digest, events=row.events, key_version=version,
            signature=copied.signature,
        )  # fmt: skip
        return 1

    async def _seal_if_due(self) -> int:
        return await self._seal(at_once=False)

    async def _seal(self, *, at_once: bool) -> int:
        async with self._database.transaction() as db:
            if not await db.scalar(sealing_queries.TRY_SEALING):
                return 0
            last = (await db.execute(sealing_queries.LAST_SEAL)).first()
            if last is not None and not at_once and self._too_soon(last.sealed_at, last.events):
                return 0
            place = (-1, -1) if last is None else (last.to_transaction, last.to_sequence)
            links = await _unsealed(db, place)
            if not links:
                return 0
            seal = Seal(
                id=1 if last is None else last.id + 1,
                previous=BEGINNING if last is None else last.digest,
                from_transaction=links[0].transaction,
                to_transaction=links[-1].transaction,
                to_sequence=links[-1].sequence,
                events=len(links),
                rows=b"".join(entry(link.id, event_hash(link)) for link in links),
                sealed_at=self._clock(),
            )
            await db.execute(sealing_queries.ADD_SEAL, {**seal._asdict(), "digest": seal_digest(seal)})
        return len(links)

    def _too_soon(self, sealed_at: datetime, events: int) -> bool:
        """Whether the last seal is so young that the next would be a small one; a full one means that more waits."""
        return events < BATCH and self._clock() - sealed_at < AT_LEAST_APART

    async def _go_on(self, what: str, work: Callable[[], Awaitable[int]]) -> None:
        """Do `work` for ever; the first failure of a row of them is told, and the first success after it."""
        failures = 0
        while True:
            done = 0
            try:
                done = await work()
            except Unavailable as error:
                failures += 1
                if failures == 1:
                    _log.warning("audit.waiting", step=what, reason=error.detail)
            except Exception:  # noqa: BLE001 - the edge of this task: nothing that goes wrong may end it
                failures += 1
                if failures == 1:
                    _log.exception("audit.waiting", step=what)
            else:
                if failures:
                    _log.info("audit.resumed", step=what, failures=failures)
                failures = 0
            if failures or not done:
                pause = min(LONGEST_PAUSE, PAUSE * max(1, failures))
                await asyncio.sleep(pause * random.uniform(0.6, 1.0))  # noqa: S311 - keeps workers apart, guards nothing  # nosec B311


async def _unsealed(db: AsyncSession, place: tuple[int, int]) -> list[Link]:
    """What comes after `place` and is over; raises RuntimeError when the database counts from a new beginning."""
    values = {"transaction": place[0], "sequence": place[1], "most": BATCH}
    horizon = await db.scalar(sealing_queries.HORIZON)
    if horizon is None or horizon <= place[0]:
        raise RuntimeError(
            "the database counts its transactions from a new beginning, as after a restore elsewhere; "
            "audit_shift() must return the largest number of the trail (docs/operations.md)"
        )
    return [Link(*row) for row in (await db.execute(sealing_queries.UNSEALED, {**values, "horizon": horizon})).all()]
