"""The three loops that keep token, database login and key rings alive while the application serves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from app.ids import now
from app.tasks import end
from app.vault.auth import AppRole
from app.vault.client import VaultClient
from app.vault.credentials import LoginProvider
from app.vault.errors import Denied, Gone, VaultError, VaultStartError
from app.vault.events import Events
from app.vault.lease import draw
from app.vault.retiring import Leaving, Retiring
from app.vault.rings import Rings
from app.vault.snapshot import PERSONAL
from app.vault.standing import Standing

POLL: Final = 10.0  # seconds between two looks at the keys, give or take a fifth
DELIVERY: Final = 10.0  # seconds in which a fresh secret-id may still arrive after the token died
POLL_IN_TROUBLE: Final = 2.0


class Tending:
    """Renews in time, replaces before the end, and looks for rotated keys; every failure is survived and told."""

    def __init__(
        self,
        client: VaultClient,
        auth: AppRole,
        provider: LoginProvider,
        rings: Rings,
        standing: Standing,
        retiring: Retiring,
        events: Events,
        publish: Callable[[], None],
    ) -> None:
        self._client = client
        self._auth = auth
        self._provider = provider
        self._rings = rings
        self._standing = standing
        self._retiring = retiring
        self._events = events
        self._publish = publish
        self._replacing = asyncio.Lock()
        self._look_at_token = asyncio.Event()
        self._keys_read = asyncio.Event()
        self._old_tokens: list[str] = []
        self._dead_since: float | None = None
        self.homeless = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for name, step in (
            ("token", self._token),
            ("database", self._database),
            ("keys", self._keys),
        ):
            self._tasks.append(loop.create_task(self._forever(name, step), name=f"tend-{name}"))

    async def stop(self) -> None:
        await end(*self._tasks)

    async def replace_login(self, *, wished: bool = False) -> None:
        """Put a new login in place of the current one, spaced from the last time, a little only if somebody wished it.

        Raises the errors of the provider.
        """
        generation = self._provider.held.login.generation
        async with self._replacing:
            if self._provider.held.login.generation != generation:
                return  # somebody else just did
            await asyncio.sleep(self._provider.pause(wished=wished))
            old = await self._provider.replace(wished=wished)
            tokens, self._old_tokens = tuple(self._old_tokens), []
            newer = self._provider.held.login.generation
            if old is not None:
                self._retiring.retire(Leaving(newer, old.login.generation, old.lease_id, tokens))
            self._publish()

    async def poll_keys(self) -> None:
        """Read what changed among the keys, and tell everybody."""
        await self._rings.poll()
        self._keys_read.set()  # what was read may plan a change before the next look
        self._standing.well("keys")
        for name in self._rings.empty(now()):
            self._standing.trouble(name, "every version of this key was withdrawn", fatal=name != PERSONAL)
        self._publish()

    async def _forever(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step for ever.  This is an edge: nobody above could handle what a step did not expect."""
        while True:
            try:
                await step()
            except Exception as error:  # noqa: BLE001  # a loop that dies silently would let every secret expire
                self._standing.trouble(name, f"unexpected {type(error).__name__}")
                self._publish()
                await asyncio.sleep(POLL_IN_TROUBLE)

    # --- token

    async def _token(self) -> None:
        doubted = await _sleep(self._auth.clock.wait(time.monotonic()), self._look_at_token)
        try:
            if doubted and await self._client.token_alive():
                return  # it is the policy that refused, not the token that is dead
            await self._prolong_identity()
            self._standing.well("token")
            self._dead_since = None
        except VaultStartError as error:
            self._token_trouble(error.message, fatal=False)
        except Gone as error:
            self._token_trouble(str(error), fatal=True)
            at = time.monotonic()
            self._dead_since = at if self._dead_since is None else self._dead_since
            if at - self._dead_since > DELIVERY:
                self.homeless.set()
        except VaultError as error:
            self._token_trouble(str(error), fatal=self._auth.clock.left(time.monotonic()) == 0)
        self._publish()

    def _token_trouble(self, reason: str, *, fatal: bool) -> None:
        self._standing.trouble("token", reason, fatal=fatal)
        self._auth.clock.failed(time.monotonic())

    async def _prolong_identity(self) -> None:
        """Prefer a fresh delivery to a renewal, but only when one of them is due.

        Whoever delivers may refill the file as soon as it was used; signing in at every change would never end.
        """
        if self._auth.fresh():
            await self._sign_in_anew()
            return
        try:
            await self._auth.renew()
        except Denied:
            if await self._client.token_alive():
                raise
            raise Gone("the token is dead and no fresh wrapped secret-id was delivered") from None

    async def _sign_in_anew(self) -> None:
        """Make before break: the old token lives on until nobody uses the login that would die with it."""
        before = await self._auth.sign_in()
        if before is not None:
            self._old_tokens.append(before)
        await self.replace_login()
        self._standing.well("database")

    # --- database

    async def _database(self) -> None:
        await asyncio.sleep(self._provider.held.clock.wait(time.monotonic()))
        clock = self._provider.held.clock
        if clock.wait(time.monotonic()) > 0:
            return  # refreshed meanwhile
        try:
            # A login that would die with a token we replaced is replaced as well.
            if self._old_tokens or await self._provider.renew():
                await self.replace_login()
            self._standing.well("database")
        except VaultError as error:
            if isinstance(error, Denied):
                self._look_at_token.set()
            self._standing.trouble("database", str(error), fatal=self._provider.ended())
            clock.failed(time.monotonic())
        self._publish()

    # --- keys

    async def _keys(self) -> None:
        wait, planned = self._usual_look(), self._rings.next_change(now())
        if planned is not None and planned < wait:
            if not await _sleep(planned + 0.02, self._keys_read):
                self._publish()
            return
        if await _sleep(wait, self._keys_read):
            return
        try:
            await self.poll_keys()
            self._keys_read.clear()
        except VaultError as error:
            if isinstance(error, Denied):
                self._look_at_token.set()
            self._standing.trouble("keys", str(error))
            self._publish()

    def _usual_look(self) -> float:
        usual = POLL if self._standing.state == "healthy" else POLL_IN_TROUBLE
        return usual * draw(0.8, 1.2)


async def _sleep(seconds: float, alarm: asyncio.Event) -> bool:
    """Sleep, unless the alarm rings; true when it did."""
    try:
        async with asyncio.timeout(seconds):
            await alarm.wait()
    except TimeoutError:
        return False
    alarm.clear()
    return True
