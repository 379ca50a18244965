"""Writes down every few seconds what the watch of this worker gathered, and raises alerts about what is unusual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from app.books import Book
from app.database import Database
from app.watch import service
from app.watch.recorder import Watch


class WatchBook(Book):
    """Keeps the book of one worker's watch; what cannot be written is kept and tried again.

    `conditions` are looked at each time: one that begins to hold is an event of that kind.
    """

    every: ClassVar[float] = 2.0
    name: ClassVar[str] = "watch-book"

    def __init__(
        self, watch: Watch, database: Database, conditions: Mapping[str, Callable[[], bool]] | None = None
    ) -> None:
        super().__init__()
        self._watch = watch
        self._database = database
        self._conditions = conditions or {}
        self._holding: set[str] = set()

    async def _write(self) -> None:
        self._look_around()
        for _ in range(2):
            gathered, violations = self._watch.take()
            if not gathered and not violations:
                return
            try:
                async with self._database.transaction() as db:
                    unusual = await service.write(db, gathered)
                    await service.keep_reports(db, violations)
            except BaseException:
                self._watch.give_back(gathered, violations)
                raise
            for one in unusual:
                scope = "one source" if one.subject or one.block else "all sources"
                self._watch.raise_alert(one.kind, block=one.block, subject=one.subject, count=one.count, scope=scope)

    def _look_around(self) -> None:
        holding = {kind for kind, holds in self._conditions.items() if holds()}
        for kind in sorted(holding - self._holding):
            self._watch.note(kind)
        self._holding = holding
