"""Keeps a fresh wrapped secret-id lying ready for the application and another for operators' commands.

A wrapping token opens once and not for long.  So each file is filled again when it was taken away, when its token has
been used, and well before it expires.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from hvac.exceptions import Forbidden, VaultError

from local.deployer import WRAP_SECONDS
from local.stack import Stack

REFILL_SECONDS = WRAP_SECONDS / 2
LOOK_SECONDS = 10.0


@dataclass
class _Hatch:
    """One file through which wrapped secret-ids are handed over."""

    path: Path
    filled: float = float("-inf")
    looked: float = float("-inf")


class Keeper:
    """Call `tick` a few times a second; most of the time it only looks whether the files are there."""

    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._say = say
        self._hatches = [_Hatch(stack.secret_id_file()), _Hatch(stack.command_secret_id_file)]
        self._rest_until = float("-inf")

    def tick(self) -> None:
        """Refill what needs it.  A server that does not answer is asked again two seconds later."""
        now = time.monotonic()
        if now < self._rest_until:
            return
        try:
            for hatch in self._hatches:
                if self._needs_filling(hatch, now):
                    self._stack.wrap_secret_id(path=hatch.path)
                    hatch.filled = hatch.looked = now
        except Forbidden:
            self._say("OpenBao no longer knows the deployer of this state; restart to have it made anew.")
            self._rest_until = now + 60.0
        except (VaultError, requests.RequestException):
            self._rest_until = now + 2.0

    def _needs_filling(self, hatch: _Hatch, now: float) -> bool:
        if now - hatch.filled > REFILL_SECONDS or not hatch.path.exists():
            self._stack.deployer.renew()
            return True
        if now - hatch.looked < LOOK_SECONDS:
            return False
        hatch.looked = now
        return not self._stack.deployer.is_unused(hatch.path.read_text(encoding="utf-8"))

    def clear(self) -> None:
        """Take the files away; what is in them ends with the run."""
        for hatch in self._hatches:
            hatch.path.unlink(missing_ok=True)
