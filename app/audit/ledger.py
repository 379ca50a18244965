"""The trail as a verification reads it: one snapshot, in the order of the chain, a block at a time.

It goes to the driver itself: half a million rows through a result layer cost more than all the hashing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from app.database import Database

BLOCK: Final = 4_000  # events at a time: some 5 MB
SEALS: Final = 16  # at a time, each with its 24 kB of ids and hashes

_EVENT: Final = (
    "id, transaction, sequence, at, kind, actor_id, actor_via, target_type, target_id, request_id, details::text, "
    "personal_digest, actor_name, address, personal::text, salt"
)
_EVENTS: Final = (
    f"SELECT {_EVENT} FROM audit_events WHERE (transaction, sequence) > ($1, $2) "  # nosec B608 - likewise
    "ORDER BY transaction, sequence LIMIT $3"
)
_SEALS: Final = (
    "SELECT id, previous, digest, from_transaction, to_transaction, to_sequence, events, rows, sealed_at, key_version, "
    "signature FROM audit_seals LEFT JOIN audit_signatures ON seal_id = id WHERE id > $1 ORDER BY id LIMIT $2"
)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

Row = Sequence[Any]


class Erasures:
    """Which erasures of personal fields were recorded, and so may have left blank rows."""

    def __init__(self, people: Mapping[str, datetime], aged_before: datetime) -> None:
        self._people = people
        self._last = max(people.values(), default=_BEGINNING)
        self._aged_before = aged_before

    def cover(self, row: Row) -> bool:
        """Whether a recorded erasure explains that what is personal in this event is gone."""
        at, actor_id, target_type, target_id = row[3], row[5], row[7], row[8]
        if at < self._aged_before or self._people.get(str(actor_id), _BEGINNING) >= at:
            return True
        if target_type == "person":
            return bool(self._people.get(target_id, _BEGINNING) >= at)
        # Whose session or token it was cannot be asked any more: those rows went with the person.
        return bool(target_type in ("session", "token_family") and self._last >= at)


class Ledger:
    """One connection in one repeatable-read transaction; asks one thing at a time, and the next block ahead."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._turn = asyncio.Lock()
        self._ahead: asyncio.Task[list[Row]] | None = None
        self._block: list[Row] = []
        self._begin = 0

    async def ask(self, statement: str, *values: object) -> list[Row]:
        """All rows of a statement."""
        async with self._turn:
            rows: list[Row] = await self._driver.fetch(statement, *values)
            return rows

    async def seals(self) -> AsyncIterator[Row]:
        """Every seal with its signature, by number."""
        last = -1
        while rows := await self.ask(_SEALS, last, SEALS):
            for row in rows:
                yield row
            last = rows[-1][0]

    async def take(self, count: int) -> list[Row]:
        """The next `count` events, or what there is left."""
        taken: list[Row] = []
        while len(taken) < count:
            part = self._block[self._begin : self._begin + count - len(taken)]
            if not part and not await self._turn_over():
                break
            self._begin += len(part)
            taken += part
        return taken

    async def _turn_over(self) -> bool:
        """Go on to the next block, and have the one after it fetched while this one is hashed."""
        place = (self._block[-1][1], self._block[-1][2]) if self._block else (-1, -1)
        block = await (self._ahead or self.ask(_EVENTS, *place, BLOCK))
        self._ahead = None
        if not block:
            return False
        self._block, self._begin = block, 0
        if len(block) == BLOCK:
            self._ahead = asyncio.get_running_loop().create_task(self.ask(_EVENTS, block[-1][1], block[-1][2], BLOCK))
            await asyncio.sleep(0)  # lets the question out before the loop is busy
        return True

    async def erasures(self) -> Erasures:
        """The erasures that were recorded."""
        people = await self.ask(
            "SELECT target_id, max(at) FROM audit_events WHERE kind = 'audit.person_erased' GROUP BY target_id"
        )
        aged = await self.ask("SELECT target_id FROM audit_events WHERE kind = 'audit.aged'")
        seconds = max((int(row[0]) for row in aged if row[0].isdecimal()), default=0)
        return Erasures({row[0]: row[1] for row in people}, datetime.fromtimestamp(seconds, UTC))

    async def event(self, event_id: object) -> Row | None:
        """One event, wherever it stands."""
        rows = await self.ask(f"SELECT {_EVENT} FROM audit_events WHERE id = $1", event_id)  # nosec B608 - a constant list of columns
        return rows[0] if rows else None

    async def sealed_in(self, event_id: bytes) -> int | None:
        """The seal that holds this event, looked for in all of them."""
        rows = await self.ask("SELECT min(id) FROM audit_seals WHERE position($1 IN rows) > 0", event_id)
        number: int | None = rows[0][0]
        return number

    async def close(self) -> None:
        """Let go of what was asked ahead."""
        if self._ahead is not None:
            self._ahead.cancel()
            with suppress(asyncio.CancelledError):
                await self._ahead


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Ledger]:
    """The trail as it stands at this moment; what is written meanwhile is not seen."""
    async with database.read() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        async with driver.transaction(isolation="repeatable_read", readonly=True):
            ledger = Ledger(driver)
            try:
                yield ledger
            finally:
                await ledger.close()
