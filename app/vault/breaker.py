"""A switch that opens when Vault does not answer, so that not every request waits for the same silence."""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 0.5
LONGEST: Final = 5.0


class Breaker:
    """Open for half a second after a failure, then twice as long after each further one, five seconds at most."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._shut_at = 0.0

    def open(self, now: float) -> bool:
        """Whether nobody should try now; one try is let through when the pause is over."""
        if self._pause == 0.0 or now >= self._shut_at:
            self._shut_at = now + self._pause  # whoever comes next waits for what this one finds
            return False
        return True

    def failed(self, now: float) -> None:
        """Note silence or a failure inside Vault."""
        self._pause = min(LONGEST, max(SHORTEST, self._pause * 2))
        self._shut_at = now + self._pause

    def answered(self) -> None:
        """Note an answer, whatever it said."""
        self._pause = 0.0
