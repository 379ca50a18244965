"""Where everything that sees an attack says so: counted, written to the log, and gathered for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final, NamedTuple

import structlog

from app.ids import now
from app.watch.kinds import ALERT
from app.watch.reports import Violation

SOURCES: Final = 300  # told apart, of one kind, by one worker, in one hour; the rest are counted as "others"
OTHERS: Final = "others"
LINES: Final = 5  # in the log, of one kind, by one worker, in one second
VIOLATIONS: Final = 100  # different ones held until they are written

log = structlog.get_logger("scriptorium.security")


class Source(NamedTuple):
    """Whose events are counted together."""

    hour: datetime
    kind: str
    subject: str
    block: str


@dataclass
class Gathered:
    """What one source did since it was last written down."""

    first_at: datetime
    last_at: datetime
    count: int = 0
    request_id: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)


@dataclass
class _Lines:
    second: int = 0
    written: int = 0
    kept_back: int = 0


class Watch:
    """The watch of one worker.  Noting costs some microseconds and never waits; memory stays bounded in any flood."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.alerts: Counter[str] = Counter()
        self._gathered: dict[Source, Gathered] = {}
        self._sources: dict[str, set[tuple[str, str]]] = {}
        self._hour: datetime | None = None
        self._lines: dict[str, _Lines] = {}
        self._violations: Counter[Violation] = Counter()

    def note(self, kind: str, *, block: str = "", subject: str = "", request_id: str = "", **facts: str | int) -> None:
        """One event.  `block` and `subject` say whose it is; facts are words and numbers, and hold no secret."""
        self.seen[kind] += 1
        self._gather(kind, block, subject, request_id, facts)
        kept_back = self._may_say(kind)
        if kept_back is not None:
            more = {"kept_back": kept_back} if kept_back else {}
            log.warning(
                "security.event", kind=kind, block=block, subject=subject, request_id=request_id, **facts, **more
            )

    def raise_alert(self, kind: str, *, block: str = "", subject: str = "", **facts: str | int) -> None:
        """Something unusual: always in the log, counted apart, and an event of its own."""
        self.alerts[kind] += 1
        self._gather(ALERT + kind, block, subject, "", facts)
        log.error("security.alert", kind=kind, block=block, subject=subject, **facts)

    def report(self, violation: Violation) -> None:
        """A violation of the content policy, to be kept with others of its like."""
        if violation in self._violations or len(self._violations) < VIOLATIONS:
            self._violations[violation] += 1

    def take(self) -> tuple[dict[Source, Gathered], Counter[Violation]]:
        """Hand over what was gathered and begin anew."""
        taken = self._gathered, self._violations
        self._gathered, self._violations = {}, Counter()
        return taken

    def give_back(self, gathered: Mapping[Source, Gathered], violations: Counter[Violation]) -> None:
        """Take back what could not be written; what came meanwhile is added."""
        for source, old in gathered.items():
            new = self._gathered.setdefault(source, old)
            if new is not old:
                new.first_at = old.first_at
                new.count += old.count
        self._violations.update(dict(violations.most_common(VIOLATIONS - min(VIOLATIONS, len(self._violations)))))

    def _gather(self, kind: str, block: str, subject: str, request_id: str, facts: Mapping[str, str | int]) -> None:
        moment = now()
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._sources = hour, {}
        sources = self._sources.setdefault(kind, set())
        if (subject, block) not in sources:
            if len(sources) >= SOURCES:
                subject, block = OTHERS, ""
            sources.add((subject, block))
        found = self._gathered.setdefault(Source(hour, kind, subject, block), Gathered(moment, moment))
        found.count += 1
        found.last_at, found.request_id, found.facts = moment, request_id, dict(facts)

    def _may_say(self, kind: str) -> int | None:
        """How many lines were kept back before this one, or None when this one is: a flood must not fill the disk."""
        lines, second = self._lines.setdefault(kind, _Lines()), int(monotonic())
        if lines.second != second:
            lines.second, lines.written = second, 0
        if lines.written >= LINES:
            lines.kept_back += 1
            return None
        lines.written += 1
        kept_back, lines.kept_back = lines.kept_back, 0
        return kept_back
