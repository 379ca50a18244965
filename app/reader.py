"""Connections for reads, kept open between requests: taking one and giving it back costs a request next to nothing.

SQLAlchemy's own pool makes a new `Connection`, switches greenlets four times and runs every hook at each use, which
costs more than the read itself (docs/decisions, "Readers are kept open").  Here it only opens and closes connections.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, Final

import asyncpg
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.errors import DomainError, Unavailable
from app.vault.probe import DRIVER_FAULTS

OLDEST: Final = 1800.0  # seconds; what a server process gathers over time goes with it
AT_ONCE: Final = 2
"""Readers that are opened at a time.  Opening one takes PostgreSQL longer than many a read, so when many come together most
of them are served by those that are there before another is; a burst that opened its own would hold everybody up."""
Translate = Callable[[BaseException], Exception | None]


class NamedRow(asyncpg.Record):  # type: ignore[misc]  # the driver brings no types
    """A row whose columns are attributes as well, as in SQLAlchemy's rows."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Reader(AsyncConnection):
    """A connection on which every statement stands alone (autocommit), and the driver's connection beneath it."""

    __slots__ = ("driver", "generation", "until")

    driver: asyncpg.Connection
    generation: int
    until: float

    async def open(self) -> None:
        """Connect, by the engine's rules."""
        await self.start()
        raw = await self.get_raw_connection()
        driver: Any = raw.driver_connection
        self.driver = driver
        self.generation = raw.info["generation"]
        self.until = monotonic() + OLDEST


class Readers:
    """The open readers of one engine, at most `size`; the last one used is used next, and the others grow cold."""

    def __init__(self, engine: AsyncEngine, size: int, patience: float, present: Callable[[], int]) -> None:
        """`present` is the generation of the login by now; it raises when there is none that could be used."""
        self._engine = engine
        self._size = size
        self._patience = patience
        self._present = present
        self._open = 0  # idle, in use, or being opened
        self._opening = 0
        self._idle: list[Reader] = []
        self._waiting: deque[asyncio.Future[Reader | None]] = deque()

    def at_hand(self) -> Reader | None:
        """The reader used last, if one is idle and still fit; this waits for nothing."""
        return self._idle.pop() if self._idle and self._fit(self._idle[-1]) else None

    async def take(self) -> Reader:
        """A reader with the present login; opens one or waits for one, and raises Unavailable in the end."""
        waited = False
        while (reader := self.at_hand()) is None:
            if self._idle:
                await self._close(self._idle.pop())  # it was not fit
            elif self._open < self._size and self._opening < AT_ONCE:
                return await self._opened()
            else:
                handed = await self._handed(again=waited)
                waited = True
                if handed is not None:
                    self._idle.append(handed)
        return reader

    def give_back(self, reader: Reader) -> None:
        """Keep it for whoever waits, or for the next request."""
        if not self._hand_on(reader):
            self._idle.append(reader)

    async def discard(self, reader: Reader, error: BaseException) -> None:
        """Close one that may be in the middle of something."""
        if isinstance(error, TimeoutError):
            await reader.invalidate()  # a server that does not answer would not answer to a farewell either
        await self._close(reader)

    async def retire(self) -> None:
        """Close idle readers whose login is not the present one."""
        generation = self._present()
        old = [reader for reader in self._idle if reader.generation != generation]
        self._idle = [reader for reader in self._idle if reader.generation == generation]
        for reader in old:
            await self._close(reader)

    async def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            await self._close(self._idle.pop())

    def _fit(self, reader: Reader) -> bool:
        return reader.generation == self._present() and not reader.driver.is_closed() and monotonic() < reader.until

    async def _opened(self) -> Reader:
        self._open += 1
        self._opening += 1
        try:
            reader = Reader(self._engine)
            await reader.open()
        except BaseException:
            self._opening -= 1
            self._place_left()
            raise
        self._opening -= 1
        if self._open < self._size:
            self._hand_on(None)  # whoever still waits may open the next one
        return reader

    async def _close(self, reader: Reader) -> None:
        try:
            # Shielded: a caller who goes away must not leave a connection half closed.
            await asyncio.shield(reader.close())
        except (exc.SQLAlchemyError, asyncpg.PostgresError, *DRIVER_FAULTS, OSError):
            pass  # it is gone, which is what was wanted
        finally:
            self._place_left()

    async def _handed(self, *, again: bool) -> Reader | None:
        """What somebody leaves: a reader, or None for the room to open one; whoever waits `again` keeps their place."""
        future: asyncio.Future[Reader | None] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(future)
        else:
            self._waiting.append(future)
        try:
            async with asyncio.timeout(self._patience):
                return await future
        except BaseException as error:
            if future.done() and not future.cancelled():  # it came at the very moment we gave up
                left = future.result()
                if left is not None:
                    self.give_back(left)
                else:
                    self._hand_on(None)
            if isinstance(error, TimeoutError):
                raise Unavailable("The database is busy", code="database_busy") from None
            raise

    def _place_left(self) -> None:
        self._open -= 1
        self._hand_on(None)

    def _hand_on(self, left: Reader | None) -> bool:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(left)
                return True
        return False


class Reading:
    """`async with Reading(...) as db:` is one use of a reader; `translate` says what went wrong in our own words."""

    __slots__ = ("_reader", "_readers", "_take", "_translate")

    def __init__(self, readers: Readers, take: Callable[[], Any], translate: Translate) -> None:
        self._readers, self._take, self._translate = readers, take, translate

    async def __aenter__(self) -> Reader:
        reader: Reader = await self._take()
        self._reader = reader
        return reader

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or (isinstance(error, DomainError) and self._unharmed()):
            self._readers.give_back(self._reader)  # a refusal of ours says nothing about the connection
            return
        await self._readers.discard(self._reader, error)
        said = self._translate(error)
        if said is not None:
            raise said from error

    def _unharmed(self) -> bool:
        """Whether it can be used again as it is: whoever began a transaction on it and was refused has left it open."""
        return not self._reader.invalidated and not self._reader.driver.is_in_transaction()
