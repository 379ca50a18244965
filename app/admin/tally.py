"""What the limits of this worker refused, added to the table of refusals every few seconds and at the end.

Limits are decided in Valkey, which may forget; the table does not.  A request that is refused costs no query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import ClassVar

from sqlalchemy.dialects.postgresql import insert

from app.admin.models import Refusal
from app.books import Book
from app.database import Database
from app.ids import now


class Tally(Book):
    """Writes down how far the counters have moved since the last time; each maps the name of a limit to a count."""

    every: ClassVar[float] = 10.0
    name: ClassVar[str] = "tally"

    def __init__(self, database: Database, counters: Callable[[], Iterable[Counter[str]]]) -> None:
        super().__init__()
        self._database = database
        self._counters = counters
        self._written: Counter[str] = Counter()

    async def _write(self) -> None:
        total = sum(self._counters(), Counter[str]())
        fresh = total - self._written
        if not fresh:
            return
        rows = [{"day": now().date(), "rule": rule, "count": count} for rule, count in sorted(fresh.items())]
        statement = insert(Refusal)
        statement = statement.on_conflict_do_update(
            index_elements=["day", "rule"], set_={"count": Refusal.count + statement.excluded.count}
        )
        async with self._database.transaction() as db:
            await db.execute(statement, rows)
        self._written = total
