"""When credentials were last used, written in batches: no request waits for it or causes a query of its own."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.sql.dml import Update

from app.books import Book
from app.database import Database


class Touches(Book):
    """Collects last uses.

    `statement` is an UPDATE with the parameters `touched_id` and `seen_at`.
    """

    every: ClassVar[float] = 20.0  # a use is written at most once a minute
    name: ClassVar[str] = "touches"

    def __init__(self, database: Database, statement: Update) -> None:
        super().__init__()
        self._database = database
        self._statement = statement
        self._seen: dict[UUID, datetime] = {}

    def note(self, used: UUID, moment: datetime) -> None:
        """This credential was used just now."""
        self._seen[used] = moment

    async def _write(self) -> None:
        seen, self._seen = self._seen, {}
        if not seen:
            return
        rows = [{"touched_id": used, "seen_at": moment} for used, moment in sorted(seen.items())]
        try:
            async with self._database.transaction() as db:
                connection = await db.connection()
                await connection.execute(self._statement, rows)
        except BaseException:
            self._seen = {**seen, **self._seen}
            raise


class SessionTouches(Touches):
    """When browser sessions were last used."""


class KeyTouches(Touches):
    """When API keys were last used."""
