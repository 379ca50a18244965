"""The line on which a worker hears what ended: one PostgreSQL connection of its own, with a pulse.

It connects directly, never through a transaction pooler, which would swallow LISTEN.  What is remembered may be used
only until `PULSE_GOOD_FOR` seconds after the start of the last answered pulse: a broken, hung or merely silent line,
and a worker whose own loop stands still, lose trust by the clock and not by anybody noticing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final

import asyncpg
import structlog

from app.database import AWAY
from app.rights.notices import CHANNEL, Notice, decode
from app.settings import Settings
from app.tasks import end
from app.vault.probe import DRIVER_FAULTS, tls_of
from app.vault.snapshot import SecretSource

PULSE_EVERY: Final = 0.2
PULSE_TIMEOUT: Final = 0.5
PULSE_GOOD_FOR: Final = 0.9
CONNECT_TIMEOUT: Final = 3.0
SLOWEST_RETRY: Final = 1.0

_log = structlog.get_logger("scriptorium.rights")


class NoticeLine:
    """Listens for notices, keeps the pulse, and moves to a new connection when the database login turns."""

    def __init__(
        self,
        settings: Settings,
        source: SecretSource,
        *,
        heard: Callable[[Notice | None], None],
        restored: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._source = source
        self._heard = heard
        self._restored = restored
        self._good_until = 0.0
        self._task: asyncio.Task[None] | None = None
        self._connection: Any = None
        self._generation = -1
        self._first_pulse = asyncio.Event()
        self._cut = asyncio.Event()
        self.losses = 0

    @property
    def up(self) -> bool:
        """Whether everything said until now has been heard."""
        return monotonic() < self._good_until

    def live(self) -> dict[int, int]:
        """The connection by login generation, so that its login is not revoked under it."""
        return {self._generation: 1} if self._connection is not None else {}

    async def start(self) -> None:
        """Begin to listen; returns when the line is up or after a moment, whichever is first."""
        self._task = asyncio.get_running_loop().create_task(self._keep_up(), name="notice-line")
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._first_pulse.wait()

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            await end(self._task)
        self._hang_up()

    async def _keep_up(self) -> None:
        pause = 0.05
        while True:
            try:
                await self._open()
                # Whatever ended while nobody listened is not known: forget everything before trusting again.
                self._restored()
                pause = 0.05
                await self._beat()
            except (*AWAY, asyncpg.PostgresError) as error:
                self._lose()
                _log.warning("rights.line_lost", reason=type(error).__name__)
            except Exception:  # noqa: BLE001  # without its line this worker would ask the database for ever
                self._lose()
                _log.exception("rights.line_lost")
            await asyncio.sleep(pause)
            pause = min(SLOWEST_RETRY, pause * 2)

    async def _beat(self) -> None:
        while True:
            began = monotonic()
            self._check_login()
            await self._connection.fetchval("SELECT 1", timeout=PULSE_TIMEOUT)
            self._good_until = began + PULSE_GOOD_FOR
            self._first_pulse.set()
            if self._source.snapshot.login.generation != self._generation:
                await self._move()
            with suppress(TimeoutError):
                async with asyncio.timeout(PULSE_EVERY):
                    await self._cut.wait()

    def _check_login(self) -> None:
        if self._source.snapshot.login.seconds_left() <= 0:
            raise ConnectionError("the database login has ended")  # nothing is asked with what is no longer ours

    async def _open(self) -> None:
        self._check_login()
        login = self._source.snapshot.login
        connection = await asyncpg.connect(
            host=self._settings.database_host,
            port=self._settings.database_port,
            database=self._settings.database_name,
            user=login.user,
            password=login.password,
            ssl=tls_of(self._settings),
            timeout=CONNECT_TIMEOUT,
            server_settings={"application_name": "scriptorium-notices"},
        )
        try:
            connection.add_termination_listener(self._on_end)
            await connection.add_listener(CHANNEL, self._on_notice)
        except BaseException:
            connection.terminate()
            raise
        self._connection, self._generation = connection, login.generation
        self._cut.clear()

    async def _move(self) -> None:
        """Go over to the new login: the new connection listens before the old one hangs up, so nothing is missed.

        The old one has to answer once more when the new one listens, behind everything said until then: one that broke
        in between has missed something, and what is remembered must be forgotten as after any loss.
        """
        before = self._connection
        await self._open()
        try:
            await before.fetchval("SELECT 1", timeout=PULSE_TIMEOUT)
        except BaseException:
            before.terminate()
            raise
        with suppress(asyncpg.PostgresError, *DRIVER_FAULTS, OSError, TimeoutError):
            await before.close(timeout=PULSE_TIMEOUT)

    def _on_notice(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        del connection, pid, channel
        self._heard(decode(str(payload)))

    def _on_end(self, connection: Any) -> None:
        """A line that was seen to break is not trusted until the next pulse finds out."""
        if connection is self._connection:
            self._good_until = 0.0
            self._cut.set()

    def _lose(self) -> None:
        self.losses += 1
        self._good_until = 0.0
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
