"""The bounded wait for Vault at start, and what each failure to start is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from app.vault.client import VaultClient
from app.vault.errors import Denied, Down, Invalid, Missing, VaultError, VaultStartError
from app.vault.lease import draw
from app.vault.voice import to_standard_error

Say = Callable[[str], None]

SLOWEST: Final = 2.0  # seconds between two looks


class Patience:
    """A waiting time that is spent once, over all the steps of a start, and said aloud only when the reason changes."""

    def __init__(self, seconds: float, say: Say = to_standard_error) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._say = say
        self._reason = ""
        self._delay = 0.1

    async def spend(self, reason: str) -> None:
        """Wait a little because of `reason`; raises VaultStartError (69) when no time is left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise VaultStartError(
                VaultStartError.UNAVAILABLE,
                f"{reason}; gave up after {self._seconds:g} s and will not start without its secrets",
            )
        if reason != self._reason:
            self._reason = reason
            self._say(f"{reason}; waiting up to {left:.0f} s")
        await asyncio.sleep(min(left, self._delay * draw(0.5, 1.0)))
        self._delay = min(SLOWEST, self._delay * 2)


async def wait_until_ready(client: VaultClient, patience: Patience) -> None:
    """Return once Vault is unsealed and active; raises VaultStartError (69) when it is not in time."""
    while True:
        try:
            state = await client.health()
        except Down as error:
            await patience.spend(str(error).removeprefix("health: "))
            continue
        if state == "ready":
            return
        await patience.spend(f"Vault at {client.address} is {state}")


async def patiently(patience: Patience, step: Callable[[], Awaitable[object]]) -> None:
    """Take a step of the start, again and again while Vault or PostgreSQL is away; raises VaultStartError."""
    while True:
        try:
            await step()
            return
        except Down as error:
            await patience.spend(str(error))
        except VaultError as error:
            raise as_start_error(error) from None


def as_start_error(error: VaultError) -> VaultStartError:
    """What an error of Vault means at start, where waiting does not help."""
    match error:
        case Missing():
            return VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"Vault has nothing to start with: {error}",
            )
        case Denied():
            return VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"the policy of this application does not allow it: {error}",
            )
        case Invalid():
            return VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"Vault is not set up for this application: {error}",
            )
        case _:
            return VaultStartError(VaultStartError.UNAVAILABLE, str(error))
