"""The database login of this host: given by Vault, kept good, and replaced before it ends.

Two kinds of provider behind one interface.  A dynamic login is made for this host and dies with its lease; a static one
(`app.vault.static_login`) is a lasting account whose password Vault changes in place.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.ids import now
from app.vault.client import VaultClient
from app.vault.errors import Denied, Down, Gone, VaultError
from app.vault.events import Events
from app.vault.grants import LoginGrant
from app.vault.lease import BY_HAND, LeaseClock, Spacing
from app.vault.probe import Probe
from app.vault.snapshot import DatabaseLogin


@dataclass(frozen=True)
class Held:
    """A login with the lease behind it, if there is one, and the clock by which it is tended."""

    login: DatabaseLogin
    lease_id: str | None = field(repr=False)
    clock: LeaseClock = field(repr=False)


class LoginProvider(Protocol):
    """Holds one login at a time.  A replacement works before the old one is let go (make before break)."""

    @property
    def ready(self) -> bool:
        """Whether there is a login."""

    @property
    def held(self) -> Held:
        """The login in use; raises Down before there is one."""

    def resume(self, held: Held) -> None:
        """Go on with a login an earlier process of this host left us."""

    def pause(self, *, wished: bool = False) -> float:
        """Seconds until a replacement is allowed, which is soon when somebody wishes for it."""

    def ended(self) -> bool:
        """Whether the login in use can be known to be worthless."""

    async def replace(self, *, wished: bool = False) -> Held | None:
        """Take a new login that was tried out; returns the one before, for its owner to drain and revoke.

        Raises Down (also when PostgreSQL is away), Denied, Missing.
        """

    async def renew(self) -> bool:
        """Keep the login good; true when it should be replaced now.  Raises Down when Vault is away."""

    async def works(self) -> bool:
        """Whether PostgreSQL still takes the login; raises Down when PostgreSQL is away."""


class Holding:
    """What both kinds of provider share: the login in hand, its generation, and the distance between replacements."""

    def __init__(self, client: VaultClient, role: str, probe: Probe, events: Events, spacing: Spacing) -> None:
        self._client = client
        self._role = role
        self._probe = probe
        self._events = events
        self._spacing = spacing
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
        self._held = held

    def pause(self, *, wished: bool = False) -> float:
        wait = self._spacing.wait(time.monotonic())
        return min(wait, BY_HAND) if wished else wait

    async def works(self) -> bool:
        login = self.held.login
        try:
            await self._probe(login.user, login.password)
        except Denied:
            return False
        return True

    def _hold(
        self, user: str, password: str, valid_until: datetime | None, lease_id: str | None, clock: LeaseClock
    ) -> None:
        before = self._held
        # Generations come from the clock, so that they also grow over a restart of this process.
        generation = max(before.login.generation + 1 if before else 0, time.time_ns() // 1_000_000)
        self._held = Held(DatabaseLogin(generation, user, password, valid_until), lease_id, clock)
        self._events.tell(
            "created" if before is None else "rotated", "database", generation=generation, ttl=round(clock.full)
        )


class DynamicProvider(Holding):
    """Logins made for this host alone, one lease each."""

    def __init__(self, client: VaultClient, role: str, probe: Probe, events: Events) -> None:
        super().__init__(client, role, probe, events, Spacing())

    def ended(self) -> bool:
        return self.held.clock.left(time.monotonic()) == 0

    async def replace(self, *, wished: bool = False) -> Held | None:
        """See `LoginProvider`; a login that was made and does not work is given back at once."""
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
        await self._try_out(grant)
        valid_until = now() + timedelta(seconds=grant.ttl)
        self._hold(grant.user, grant.password, valid_until, grant.lease_id, LeaseClock(grant.ttl, time.monotonic()))
        return before

    async def renew(self) -> bool:
        """Prolong the lease; true when it nears its maximum or cannot be prolonged."""
        held = self.held
        try:
            granted = await self._client.renew_lease(held.lease_id or "")
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

    async def _try_out(self, grant: LoginGrant) -> None:
        try:
            await self._probe(grant.user, grant.password)
        except VaultError as error:
            with suppress(VaultError):
                await self._client.revoke_lease(grant.lease_id)
            raise Down(str(error)) from None
