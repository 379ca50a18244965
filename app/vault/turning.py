"""Turning secrets on request: written, taken up here, and accepted by every worker before the answer is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from app.errors import Unavailable
from app.settings import Settings
from app.vault.errors import Invalid, VaultError
from app.vault.rotating import Rotator, read_token
from app.vault.snapshot import Refreshable, Snapshot, Turned, rings_of

DATABASE: Final = "database"
LONGEST: Final = 7.0  # seconds; less than the other side of the socket waits for an answer
LOOK: Final = 0.02


class Crowd(Protocol):
    """Whoever is attached, as this module needs to see them."""

    def behind(self, generation: int, /) -> list[int]:
        """The process ids of workers that have not taken up this snapshot yet."""

    @property
    def workers(self) -> int:
        """How many workers are attached."""


class Keeping(Protocol):
    """Whoever holds the secrets, as this module needs to see them."""

    @property
    def snapshot(self) -> Snapshot: ...
    async def refresh(self, what: Refreshable) -> None: ...
    async def replace_login(self) -> None: ...


class Nobody:
    """The crowd of a process that serves nobody else."""

    workers = 0

    def behind(self, _generation: int, /) -> list[int]:
        """None are attached, so none are behind."""
        return []


class Turning:
    """Rotations of one host; every promise here is bounded in time, and repeating anything at once is harmless."""

    def __init__(self, settings: Settings, holder: Keeping, crowd: Crowd) -> None:
        self._settings = settings
        self._holder = holder
        self._crowd = crowd

    async def rotate(self, what: str) -> Turned:
        """Rotate one ring or the database login, waiting for every worker.

        Raises Invalid for what cannot be rotated from here, Unavailable when Vault or a worker does not follow in time.
        """
        lasting = self._settings.database_login == "static"
        if what == DATABASE and not lasting:
            return await self.replace_login()
        if what not in (*rings_of(self._settings), DATABASE):
            raise Invalid(f"there is no secret named {what}")
        if self._settings.rotator_token_file is None:
            raise Invalid("this application was not given the rotator's token (SCRIPTORIUM_ROTATOR_TOKEN_FILE)")
        token = await asyncio.to_thread(read_token, self._settings.rotator_token_file)
        try:
            async with Rotator(self._settings, token) as rotator:
                if what == DATABASE:
                    await rotator.turn_lasting_login()
                    return await self.replace_login()
                version = await rotator.forward(what)
        except Invalid:
            raise
        except VaultError as error:
            raise Unavailable(f"{what} was not rotated: {error}", code="secrets_unavailable") from None
        return await self.take_up({what: version})

    async def take_up(self, versions: Mapping[str, int], withdrawn: Mapping[str, int] | None = None) -> Turned:
        """Read these versions, forget those below the withdrawn ones, and wait until every worker has done so too."""

        def taken(snapshot: Snapshot) -> bool:
            return all(
                any(key.version >= version for key in snapshot.rings[name].keys) for name, version in versions.items()
            ) and all(
                all(key.version >= first for key in snapshot.rings[name].keys)
                for name, first in (withdrawn or {}).items()
            )

        async def read() -> None:
            while not taken(self._holder.snapshot):
                await self._holder.refresh("rings")
                await asyncio.sleep(LOOK)

        return Turned(versions, None, await self._followed(read))

    async def replace_login(self) -> Turned:
        """Put a new database login in place of the current one, which is drained and revoked behind it.

        A lasting login is read anew; only the rotator changes its password.
        """
        workers = await self._followed(self._holder.replace_login)
        return Turned({}, self._holder.snapshot.login.generation, workers)

    async def _followed(self, step: Callable[[], Awaitable[None]]) -> int:
        """Take a step, then wait until all workers run on what came of it; returns how many they are."""
        try:
            async with asyncio.timeout(LONGEST):
                await step()
                generation = self._holder.snapshot.generation
                while self._crowd.behind(generation):  # noqa: ASYNC110  # what is waited for is told over many sockets
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            behind = self._crowd.behind(self._holder.snapshot.generation)
            detail = f"workers {behind} did not follow" if behind else "Vault did not answer in time"
            raise Unavailable(f"The rotation is not finished: {detail}", code="rotation_unfinished") from None
        # A single worker is the very process that holds the secrets.
        return self._crowd.workers if self._settings.workers > 1 else 1
