"""How we stand with Vault: healthy, degraded or must_stop, since when, and why."""

from __future__ import annotations

from datetime import datetime

from app.ids import now
from app.vault.events import Events
from app.vault.snapshot import State


class Standing:
    """Collects troubles by subject; a fatal one means that serving on would need something we no longer have."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._troubles: dict[str, tuple[str, bool]] = {}
        self.state: State = "healthy"
        self.since: datetime = now()

    def trouble(self, subject: str, reason: str, *, fatal: bool = False) -> bool:
        """Note that something does not work; true when that changes the state."""
        if self._troubles.get(subject) != (reason, fatal):
            self._events.tell("error", subject, reason=reason)
        self._troubles[subject] = (reason, fatal)
        return self._settle()

    def well(self, subject: str) -> bool:
        """Note that it works again; true when that changes the state."""
        self._troubles.pop(subject, None)
        return self._settle()

    def facts(self) -> list[dict[str, object]]:
        return [{"subject": subject, "reason": reason} for subject, (reason, _) in sorted(self._troubles.items())]

    def _settle(self) -> bool:
        state: State = "healthy"
        if self._troubles:
            state = "must_stop" if any(fatal for _, fatal in self._troubles.values()) else "degraded"
        if state == self.state:
            return False
        self.state, self.since = state, now()
        self._events.tell("state", "secrets", state=state)
        return True
