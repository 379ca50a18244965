"""The hub of one worker: wakes the sockets of a document when something happened to it, in whichever worker.

What travels through Valkey is the id of a document and nothing else.  A woken socket looks for itself what it may see and
what is new to its reader, so a message that is lost loses nothing: the next look finds it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from time import time
from typing import Any, Final, cast
from uuid import UUID

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

CHANNEL: Final = "scriptorium:live"
HERE: Final = "scriptorium:here:{}"
GONE_AFTER: Final = 40.0
"""Seconds after which somebody whose worker died is no longer shown as present."""
MOST_PER_PERSON: Final = 20
MOST: Final = 5000
_LISTEN: Final = 5.0
_PATIENCE: Final = 0.2  # for a Valkey that hangs; after it those who sit here are told, as when there is none
_FAREWELLS: Final = 3
_AGAIN: Final = 1.0  # seconds
_FAULTS: Final = (ValkeyError, OSError, TimeoutError)
_log = structlog.get_logger("scriptorium.live")


class Seat:
    """One open socket: who sits there, over which session, and whether there is something to look at."""

    def __init__(self, document_id: UUID, person_id: UUID, session_id: UUID | None) -> None:
        self.document_id = document_id
        self.person_id = person_id
        self.session_id = session_id
        self.wake = asyncio.Event()
        self.name = f"{person_id}:{secrets.token_hex(6)}"


class Hub:
    """All seats of this worker."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._seats: defaultdict[UUID, set[Seat]] = defaultdict(set)
        self._people: Counter[UUID] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self._stopped = False
        self.heard = 0

    def __len__(self) -> int:
        return self._people.total()

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._keep_listening(), name="live")

    async def stop(self) -> None:
        """Listen no more; what was told already is still said."""
        self._stopped = True
        if self._saying:
            await asyncio.wait(self._saying, timeout=2 * _PATIENCE)  # each of them takes `_PATIENCE` at most
        for _ in range(_FAREWELLS):
            # The client may swallow a cancellation; the end of a worker must not wait for it.
            if self._task is None or self._task.done():
                return
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1.0)

    def take(self, seat: Seat) -> bool:
        """Seat somebody; false when they, or all together, have too many seats already."""
        if self._people[seat.person_id] >= MOST_PER_PERSON or len(self) >= MOST:
            return False
        self._seats[seat.document_id].add(seat)
        self._people[seat.person_id] += 1
        return True

    def leave(self, seat: Seat) -> None:
        """Give the seat up."""
        seats = self._seats[seat.document_id]
        seats.discard(seat)
        if not seats:
            del self._seats[seat.document_id]
        self._people[seat.person_id] -= 1
        if not self._people[seat.person_id]:
            del self._people[seat.person_id]

    def tell(self, document_id: UUID) -> None:
        """Something happened to this document, and is committed: say so beside the request, which waits for nobody."""
        saying = asyncio.get_running_loop().create_task(self.changed(document_id), name="document-changed")
        self._saying.add(saying)
        saying.add_done_callback(self._saying.discard)

    async def changed(self, document_id: UUID) -> None:
        """Something happened to this document: everybody at it looks.  Call it after the commit."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._valkey.publish(CHANNEL, document_id.hex)
        except _FAULTS:
            self._wake(self._seats.get(document_id, ()))  # at least those who sit here

    def ended(self, ids: Iterable[UUID] | None) -> None:
        """Rights of these people or sessions ended (None: nobody knows whose): they look again whether they may stay."""
        wanted = None if ids is None else set(ids)
        for seats in self._seats.values():
            self._wake(
                seat for seat in seats if wanted is None or seat.person_id in wanted or seat.session_id in wanted
            )

    async def arrive(self, seat: Seat) -> None:
        """Say, and keep saying every now and then, that somebody is here."""
        name, moment = HERE.format(seat.document_id), time()
        with suppress(*_FAULTS):
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.zadd(name, {seat.name: moment})
                pipe.zremrangebyscore(name, 0, moment - GONE_AFTER)
                pipe.expire(name, round(2 * GONE_AFTER))
                new = (await pipe.execute())[0]
            if new:
                await self.changed(seat.document_id)

    async def depart(self, seat: Seat) -> None:
        """Say that they have gone."""
        with suppress(*_FAULTS):
            await cast(Awaitable[Any], self._valkey.zrem(HERE.format(seat.document_id), seat.name))
            await self.changed(seat.document_id)

    async def present(self, document_id: UUID) -> set[UUID]:
        """The people at a document, as far as is known."""
        try:
            found = await cast(
                Awaitable[Any], self._valkey.zrangebyscore(HERE.format(document_id), time() - GONE_AFTER, "+inf")
            )
        except _FAULTS:
            found = [seat.name.encode() for seat in self._seats.get(document_id, ())]
        return {UUID(name.decode().partition(":")[0]) for name in found}

    def _wake(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            seat.wake.set()

    async def _keep_listening(self) -> None:
        while not self._stopped:
            try:
                await self._listen()
            except _FAULTS as error:
                _log.warning("live.line_lost", reason=type(error).__name__)
                await asyncio.sleep(_AGAIN)
            except Exception:  # noqa: BLE001  # a loop that ended silently would be missed too late
                _log.exception("live.line_failed")
                await asyncio.sleep(_AGAIN)

    async def _listen(self) -> None:
        async with self._valkey.pubsub(ignore_subscribe_messages=True) as line:
            await line.subscribe(CHANNEL)
            self.ended(None)  # whatever was said while nobody listened
            while not self._stopped:
                message = await line.get_message(timeout=_LISTEN)
                if message is not None:
                    self.heard += 1
                    with suppress(ValueError):
                        self._wake(self._seats.get(UUID(hex=message["data"].decode()), ()))
