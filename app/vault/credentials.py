"""The database login of this host: made by Vault, prolonged, and replaced before it ends."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from app.ids import now
from app.vault.client import LoginGrant, VaultClient
from app.vault.errors import Denied, Down, Gone, VaultError
from app.vault.events import Events
from app.vault.lease import BY_HAND, LeaseClock, Spacing
from app.vault.probe import Probe
from app.vault.snapshot import DatabaseLogin


@dataclass(frozen=True)
class Held:
    """A login with the lease behind it and the clock of that lease."""

    login: DatabaseLogin
    lease_id: str = field(repr=False)
    clock: LeaseClock = field(repr=False)


class DynamicProvider:
    """Holds one login at a time.  A replacement works before the old one is let go (make before break)."""

    def __init__(self, client: VaultClient, role: str, probe: Probe, events: Events) -> None:
        self._client = client
        self._role = role
        self._probe = probe
        self._events = events
        self._spacing = Spacing()
        self._held: Held | None = None

    @property
    def ready(self) -> bool:
        return self._held is not None

    @property
    def held(self) -> Held:
        if self._held is None:
            raise Down("no database login yet")
        return self._held

    def resume(self, held: Held) -> None:
        """Go on with a login an earlier process of this host left us."""
        self._held = held

    def pause(self, *, wished: bool = False) -> float:
        """Seconds until a replacement is allowed, which is soon when somebody wishes for it."""
        wait = self._spacing.wait(time.monotonic())
        return min(wait, BY_HAND) if wished else wait

    async def replace(self, *, wished: bool = False) -> Held | None:
        """Take a new login that was tried out; returns the one before, for its owner to drain and revoke.

        Raises Down (also when PostgreSQL is away: the unused login is given back at once), Denied, Missing.
        """
        before = self._held
        try:
            grant = await self._client.database_login(self._role)
        except VaultError:
            self._spacing.failed(time.monotonic())
            raise
        if wished:
            self._spacing.wished(time.monotonic())
        elif before is not None:
            # Natural: the lease had lived at least half of its life, as it does when it nears its maximum.
            at = time.monotonic()
            self._spacing.took(at, natural=before.clock.left(at) <= before.clock.full / 2)
        try:
            await self._probe(grant.user, grant.password)
        except VaultError as error:
            with suppress(VaultError):
                await self._client.revoke_lease(grant.lease_id)
            raise Down(str(error)) from None
        self._held = self._hold(grant, before)
        self._events.tell(
            "created" if before is None else "rotated",
            "database",
            generation=self._held.login.generation,
            ttl=round(grant.ttl),
        )
        return before

    async def renew(self) -> bool:
        """Prolong the lease; true when the login should be replaced now.  Raises Down when Vault is away."""
        held = self.held
        try:
            granted = await self._client.renew_lease(held.lease_id)
        except Gone:
            self._events.tell("error", "database", reason="lease cannot be prolonged")
            return True
        shrunk = held.clock.renewed(granted, time.monotonic())
        login = DatabaseLogin(
            held.login.generation,
            held.login.user,
            held.login.password,
            now() + timedelta(seconds=granted),
        )
        self._held = Held(login, held.lease_id, held.clock)
        self._events.tell("renewed", "database", generation=login.generation, ttl=round(granted))
        return shrunk

    async def works(self) -> bool:
        """Whether PostgreSQL still takes the login; raises Down when PostgreSQL is away."""
        login = self.held.login
        try:
            await self._probe(login.user, login.password)
        except Denied:
            return False
        return True

    def _hold(self, grant: LoginGrant, before: Held | None) -> Held:
        # Generations come from the clock, so that they also grow over a restart of this process.
        generation = max(before.login.generation + 1 if before else 0, time.time_ns() // 1_000_000)
        login = DatabaseLogin(generation, grant.user, grant.password, now() + timedelta(seconds=grant.ttl))
        return Held(login, grant.lease_id, LeaseClock(grant.ttl, time.monotonic()))
