"""What happened to our secrets, in words without values: logged, kept for status pages, and told to whoever listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from app.ids import now

Kind = Literal["created", "renewed", "rotated", "retired", "revoked", "error", "state"]

_log = structlog.get_logger("scriptorium.vault")


@dataclass(frozen=True)
class Event:
    """One happening; `facts` hold paths, versions, seconds and generations, never a token, lease, user or value."""

    at: datetime
    kind: Kind
    subject: str
    facts: Mapping[str, object]

    def as_fact(self) -> dict[str, object]:
        return {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "subject": self.subject,
            **self.facts,
        }


class Events:
    """Keeps the last happenings and passes each on; the place where metrics and the audit trail attach."""

    def __init__(self, keep: int = 50) -> None:
        self._last: deque[Event] = deque(maxlen=keep)
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def tell(self, kind: Kind, subject: str, **facts: object) -> None:
        event = Event(now(), kind, subject, facts)
        self._last.append(event)
        log = _log.warning if kind == "error" else _log.info
        log(f"secret_{kind}", subject=subject, **facts)
        for listener in self._listeners:
            listener(event)

    @property
    def last(self) -> tuple[Event, ...]:
        """The last happenings, newest first."""
        return tuple(reversed(self._last))
