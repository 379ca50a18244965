"""The one holder of a Vault token on this host: it owns token, lease and rings, and publishes snapshots of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from app.errors import Unavailable
from app.ids import now
from app.settings import Settings
from app.vault.auth import AppRole
from app.vault.breaker import Breaker
from app.vault.client import VaultClient
from app.vault.credentials import DynamicProvider, LoginProvider
from app.vault.errors import Denied, Down, Invalid, VaultError, VaultStartError
from app.vault.estate import Estate, Legacy
from app.vault.events import Events
from app.vault.probe import prober
from app.vault.retiring import Retiring
from app.vault.rings import Rings
from app.vault.snapshot import Listener, LiveConnections, Refreshable, Snapshot, Turned
from app.vault.standing import Standing
from app.vault.startup import (
    Patience,
    Say,
    patiently,
    wait_until_ready,
)
from app.vault.static_login import StaticProvider
from app.vault.tending import Tending
from app.vault.turning import Nobody, Turning
from app.vault.voice import to_standard_error

RINGS_AT_MOST_EVERY: Final = 1.0  # seconds; an unknown key id in a forged cookie must not become load on Vault
LONGEST_REFRESH: Final = 8.0  # seconds a request may wait for a refresh
LONGEST_TRANSIT: Final = 3.0

T = TypeVar("T")


class Holder:
    """A `SecretSource` that talks to Vault itself.  One per host: more would multiply tokens, leases and roles."""

    def __init__(
        self,
        settings: Settings,
        *,
        say: Say = to_standard_error,
        estate: Estate | None = None,
    ) -> None:
        self._estate = estate
        self._legacy = estate.read() if estate is not None else Legacy()
        self.events = Events()
        self.settings = settings
        self._say = say
        self._client = VaultClient(settings.vault_addr, settings.vault_ca, kv_mount=settings.vault_kv_mount)
        self.events.listen(self._client.tally.happened)
        role = f"{settings.vault_name}-app"
        self._auth = AppRole(
            self._client,
            role,
            settings.vault_role_id,
            settings.vault_secret_id_file,
            self.events,
        )
        probe = prober(settings)
        self._provider: LoginProvider = (
            StaticProvider(self._client, f"{role}-static", probe, self.events)
            if settings.database_login == "static"
            else DynamicProvider(self._client, role, probe, self.events)
        )
        self._rings = Rings(self._client, settings, self.events)
        self._standing = Standing(self.events)
        self.retiring = Retiring(self._client, self.events, self._bequeath)
        self._tending = Tending(
            self._client,
            self._auth,
            self._provider,
            self._rings,
            self._standing,
            self.retiring,
            self.events,
            self._publish,
        )
        self._snapshot: Snapshot | None = None
        self._listeners: list[Listener] = []
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._rings_read = 0.0
        self._breaker = Breaker()
        self._stranded = False  # started with a dead token and nothing new to sign in with

    @property
    def inherits(self) -> bool:
        """Whether this start goes on with the token of a process that was killed."""
        return self._legacy.token is not None

    @property
    def homeless(self) -> asyncio.Event:
        """Set once the token has been dead for a while and no fresh secret-id came: only a new start can help."""
        return self._tending.homeless

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise Unavailable("Secrets are not loaded yet")
        return self._snapshot

    def on_change(self, callback: Listener) -> None:
        self._listeners.append(callback)

    def count_connections(self, live: LiveConnections) -> None:
        self.retiring.attach(
            lambda generation: not any(count for made_with, count in live().items() if made_with < generation)
        )

    async def start(self) -> None:
        """Sign in and fetch everything; a failed start leaves no token behind.  A second call does nothing."""
        if self._snapshot is not None:
            return
        patience = Patience(self.settings.vault_wait, self._say)
        try:
            await wait_until_ready(self._client, patience)
            await patiently(patience, self._identify)
            await patiently(patience, self._rings.load)
            await patiently(patience, self._first_login)
        except BaseException as error:
            if isinstance(error, VaultStartError) and self._stranded:
                error.exit_code = VaultStartError.TRY_AGAIN
            if self._legacy.token is None:
                await self._let_go()
            self._client.close()  # a token we took over still carries the login the workers use
            raise
        self._legacy = Legacy()
        self._publish()
        self._tending.start()

    async def stop(self) -> None:
        """End the lease and the token; what Vault cannot be told expires by itself."""
        await self._tending.stop()
        await self.retiring.finish()
        await self._let_go()

    async def refresh(self, what: Refreshable) -> None:
        await self._once(what, self._refresh_rings if what == "rings" else self._refresh_database)

    async def replace_login(self) -> None:
        """Replace the database login because somebody wishes it; callers at the same time share one replacement.

        Raises Unavailable.
        """
        await self._once("login", lambda: self._tending.replace_login(wished=True))

    async def _once(self, what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._refreshing.get(what)
        if task is None:
            task = asyncio.get_running_loop().create_task(work(), name=f"refresh-{what}")
            self._refreshing[what] = task
            task.add_done_callback(lambda _: self._refreshing.pop(what, None))
        try:
            async with asyncio.timeout(LONGEST_REFRESH):
                await asyncio.shield(task)
        except (VaultError, TimeoutError):
            raise Unavailable("The store of secrets does not answer", code="secrets_unavailable") from None

    async def rotate(self, what: str) -> Turned:
        return await Turning(self.settings, self, Nobody()).rotate(what)

    async def status(self) -> Mapping[str, Any]:
        return self.standing()

    async def encrypt(self, key: str, plaintext: bytes, context: bytes) -> str:
        return await self._transit(lambda: self._client.transit.encrypt(self._key(key), plaintext, context))

    async def decrypt(self, key: str, ciphertext: str, context: bytes) -> bytes:
        return await self._transit(lambda: self._client.transit.decrypt(self._key(key), ciphertext, context))

    async def sign(self, key: str, data: bytes) -> str:
        return await self._transit(lambda: self._client.transit.sign(self._key(key), data))

    async def sign_token(self, data: bytes, version: int) -> bytes:
        return await self._transit(lambda: self._client.transit.sign_token(self._key("token"), data, version))

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        return await self._transit(lambda: self._client.transit.public_keys(self._key(key)))

    # --- inside

    def _key(self, key: str) -> str:
        return f"{self.settings.vault_name}-{key}"

    async def _transit(self, call: Callable[[], Awaitable[T]]) -> T:
        if self._breaker.open(time.monotonic()):
            raise Unavailable("The keeper of keys does not answer", code="secrets_unavailable")
        try:
            async with asyncio.timeout(LONGEST_TRANSIT):
                done = await call()
        except Invalid:
            self._breaker.answered()
            raise
        except (VaultError, TimeoutError):
            self._breaker.failed(time.monotonic())
            raise Unavailable("The keeper of keys does not answer", code="secrets_unavailable") from None
        self._breaker.answered()
        return done

    async def _identify(self) -> None:
        """Go on as the process before us on this host, if it left a living token; else sign in."""
        if self._client.token is None and (token := self._legacy.token) is not None:
            self._auth.resume(token, self._legacy.used)
        if self._client.token is not None:
            try:
                await self._auth.renew()
            except Denied:
                self._client.use(None)
                self._legacy = Legacy()
        if self._client.token is None:
            self._stranded = self._auth.spent
            if self._stranded:
                raise Down("the token is dead, and the wrapped secret-id that was delivered has been used")
            await self._auth.sign_in()
            self._bequeath()

    async def _first_login(self) -> None:
        """The login the process before us left, or a new one."""
        if self._legacy.held is None:
            await self._provider.replace()
            return
        self._provider.resume(self._legacy.held)
        self.retiring.take_over(self._legacy.pending)
        self._legacy = replace(self._legacy, pending=())
        if await self._provider.renew() or not await self._provider.works():
            await self._tending.replace_login()

    def _bequeath(self) -> None:
        if self._estate is not None and self._client.token is not None:
            held = self._provider.held if self._provider.ready else None
            self._estate.write(Legacy(self._client.token, self._auth.used, held, self.retiring.pending))

    async def _let_go(self) -> None:
        with suppress(VaultError):
            if self._client.token is not None:
                await self._client.revoke_token()  # takes the lease along
                self.events.tell("revoked", "token")
                if self._estate is not None:
                    self._estate.clear()
        self._client.close()

    async def _refresh_rings(self) -> None:
        since = time.monotonic() - self._rings_read
        if since < RINGS_AT_MOST_EVERY:
            return
        self._rings_read = time.monotonic()
        await self._tending.poll_keys()

    async def _refresh_database(self) -> None:
        """Replace the login only if PostgreSQL really refuses it: a report may be older than the last replacement."""
        if await self._provider.works():
            return
        if self._provider.pause() > LONGEST_REFRESH:
            raise Down("the database login was replaced too often; waiting before the next try")
        await self._tending.replace_login()

    def _publish(self) -> None:
        """Replace the snapshot if anything in it changed, and tell everybody who listens."""
        self._bequeath()
        before, moment = self._snapshot, now()
        login, rings, passwords = self._provider.held.login, self._rings.at(moment), dict(self._rings.passwords)
        bucket = self._rings.bucket.keys
        state, since = self._standing.state, self._standing.since
        if before is not None and (
            before.login,
            before.rings,
            {"valkey": before.valkey_password, "smtp": before.smtp_password},
            before.state,
            before.bucket,
        ) == (
            login,
            rings,
            passwords,
            state,
            bucket,
        ):
            return
        generation = max(before.generation + 1 if before else 0, time.time_ns() // 1_000_000)
        facts = MappingProxyType(self.facts())
        self._snapshot = Snapshot(
            generation, login, rings, passwords["valkey"], passwords["smtp"], state, since, facts, bucket
        )
        for listener in self._listeners:
            listener(self._snapshot)

    def standing(self) -> dict[str, Any]:
        """How everything stands at this moment, without values."""
        snapshot = self.snapshot
        head = {"state": snapshot.state, "since": snapshot.since.isoformat(), "generation": snapshot.generation}
        return {**head, **self.facts(), "counts": self._client.tally.facts()}

    def facts(self) -> dict[str, Any]:
        """What a status page may show: names, versions, states, moments; never a value."""
        moment, tick = now(), time.monotonic()
        held = self._provider.held

        def ahead(seconds: float) -> str:
            return (moment + timedelta(seconds=seconds)).isoformat()

        return {
            "vault": self.settings.vault_addr,
            "troubles": self._standing.facts(),
            "token": {
                "ends": ahead(self._auth.clock.left(tick)),
                "renewal": ahead(self._auth.clock.wait(tick)),
            },
            "database": {
                "kind": self.settings.database_login,
                "generation": held.login.generation,
                "seconds": held.clock.full,
                "ends": None if held.login.valid_until is None else held.login.valid_until.isoformat(),
                # A static login is not renewed: its password is changed once in a period, and we follow.
                "renewal": ahead(held.clock.wait(tick) if held.lease_id else held.clock.left(tick)),
            },
            "rings": self._rings.facts(moment),
            "events": [event.as_fact() for event in self.events.last[:20]],
        }
