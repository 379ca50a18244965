"""The lasting database login of all hosts, whose password Vault changes in place.

It has no lease: it outlives a dead token and a Vault that is away for long, goes through PgBouncer, and is the same on every
host.  The price is the moment of a change.  Open sessions live on, but whoever connects with the password from before is
refused (28P01) until the new one was read; that refusal is what makes us read it (`app.database.Database`).
"""

from __future__ import annotations

import time
from dataclasses import replace as copied
from typing import Final

from app.vault.client import VaultClient
from app.vault.credentials import Held, Holding
from app.vault.errors import Down, VaultError
from app.vault.events import Events
from app.vault.grants import StaticGrant
from app.vault.lease import RotationClock, Spacing
from app.vault.probe import Probe

LEAST_APART: Final = 0.5  # seconds; a reading leaves nothing behind, so readings need not be far apart
MOST_APART: Final = 5.0


class StaticProvider(Holding):
    """Reads the login; a new password is a new generation, so that connections made with the old one are replaced."""

    def __init__(self, client: VaultClient, role: str, probe: Probe, events: Events) -> None:
        super().__init__(client, role, probe, events, Spacing(LEAST_APART, MOST_APART))

    def resume(self, held: Held) -> None:
        super().resume(copied(held, clock=RotationClock(held.clock.full, time.monotonic())))

    def ended(self) -> bool:
        """Never: what a change in Vault did to it, only PostgreSQL can say."""
        return False

    async def replace(self, *, wished: bool = False) -> Held | None:
        """See `LoginProvider`.  The one before has no lease; there is nothing to revoke behind it."""
        before = self._held
        try:
            grant = await self._client.static_login(self._role)
        except VaultError:
            self._spacing.failed(time.monotonic())
            raise
        if wished:
            self._spacing.wished(time.monotonic())
        elif before is not None:
            self._spacing.took(time.monotonic(), natural=before.login.password != grant.password)
        try:
            await self._probe(grant.user, grant.password)
        except VaultError as error:
            raise Down(str(error)) from None
        self._hold(grant.user, grant.password, None, None, _clock(grant))
        return before

    async def renew(self) -> bool:
        """Look whether Vault has changed the password; true when it has."""
        held = self.held
        grant = await self._client.static_login(self._role)
        if (grant.user, grant.password) != (held.login.user, held.login.password):
            return True
        self._held = copied(held, clock=_clock(grant))
        return False


def _clock(grant: StaticGrant) -> RotationClock:
    clock = RotationClock(grant.ttl, time.monotonic())
    clock.full = grant.period
    return clock
