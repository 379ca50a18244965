"""When to renew, replace and retry: pure arithmetic over a clock given from outside."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

Draw = Callable[[float, float], float]

draw: Final[Draw] = random.SystemRandom().uniform  # for jitter: no two processes may fall into step

SHORT: Final = 60.0  # seconds
BY_HAND: Final = 1.0  # seconds between replacements that people ask for
LOOK_EVERY: Final = 10.0  # seconds between two looks at a password Vault changes in place, give or take a fifth
CHANGING: Final = 0.2  # seconds Vault may take to change it
SHRUNK: Final = 2 / 3  # a grant below this share of the full one means the maximum is near: replace instead


class LeaseClock:
    """The life of one lease, in seconds of a monotonic clock.

    Renewal is due at a random 50 to 60 % of what remains, so that hosts started together do not ask together and most
    of an hour-long lease outlives an outage of Vault.  Leases of less than a minute are renewed and retried sooner, so
    that an outage of half their length still costs nothing.
    """

    def __init__(self, ttl: float, now: float, draw: Draw = draw) -> None:
        self.full = ttl
        self._draw = draw
        self._failures = 0
        self.expires = now
        self.due = now
        self._set(ttl, now)

    def _set(self, ttl: float, now: float) -> None:
        self.expires = now + ttl
        self.due = now + ttl * (self._draw(0.5, 0.6) if ttl >= SHORT else self._draw(0.3, 0.4))
        self._failures = 0

    def renewed(self, granted: float, now: float) -> bool:
        """Take a renewal of `granted` seconds; true when it shrank so far that the lease should be replaced now."""
        self._set(granted, now)
        return granted < SHRUNK * self.full

    def failed(self, now: float) -> float:
        """Take a failed attempt; the seconds to wait before the next one: at most 2, or 5 once the lease has ended."""
        most = min(2.0, max(0.2, self.full / 30)) if now < self.expires else 5.0
        pause = min(most, 0.2 * 2.0 ** min(self._failures, 6)) * self._draw(0.5, 1.0)
        self._failures += 1
        self.due = now + pause
        return pause

    def left(self, now: float) -> float:
        """Seconds until the lease ends; 0 once it has."""
        return max(0.0, self.expires - now)

    def wait(self, now: float) -> float:
        """Seconds until something is due."""
        return max(0.0, self.due - now)


class RotationClock(LeaseClock):
    """The time until Vault changes a password in place.  Nothing ends then, but what we hold is no longer right.

    Somebody may have it changed earlier, so it is looked at as often as the keys are, and just after the change.
    """

    def _set(self, ttl: float, now: float) -> None:
        self.expires = now + ttl
        self.due = now + min(ttl + CHANGING, LOOK_EVERY * self._draw(0.8, 1.2))
        self._failures = 0


class Spacing:
    """Keeps replacements apart: at least `least` seconds, doubling up to `most` while they follow too closely.

    Without it a fault that makes every new login fail would turn into a storm of leases, each one a role in PostgreSQL.
    """

    def __init__(self, least: float = 5.0, most: float = 60.0) -> None:
        self._least = least
        self._most = most
        self._gap = least
        self._last: float | None = None
        self._not_before = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next replacement is allowed."""
        return max(0.0, self._not_before - now)

    def took(self, now: float, *, natural: bool) -> None:
        """Note a replacement; a natural one (the lease before had lived its life) sets the distance back."""
        hurried = self._last is not None and now - self._last < 2 * self._gap
        self._gap = min(self._most, self._gap * 2) if hurried and not natural else self._least
        self._last, self._not_before = now, now + self._gap

    def wished(self, now: float) -> None:
        """Note a replacement somebody asked for: not a fault, so the next one need not be far."""
        self._gap, self._last, self._not_before = self._least, None, now + BY_HAND

    def failed(self, now: float) -> None:
        """Note that no login was given; nothing was left behind, so a second's pause is enough."""
        self._not_before = max(self._not_before, now + 1.0)
