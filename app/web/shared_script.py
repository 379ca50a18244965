"""Runs the limits' scripts in Valkey with a hard bound on the wait, and knows when Valkey is lost."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import NoScriptError, ValkeyError
from valkey.exceptions import TimeoutError as ClientTimeout

log = structlog.get_logger(__name__)

# Together below the 250 ms that no request may wait longer, with something left for whoever is woken then.
TIMEOUT = 0.18
GRACE = 0.05
RETRY = 1.0
BATCH = 100

# A replica, a full memory or disk, too few replicas, a password that was turned, a restart: it answers, and counts nothing.
_TAKES_NOTHING = frozenset({"READONLY", "OOM", "MISCONF", "NOREPLICAS", "NOPERM", "NOAUTH", "LOADING", "MASTERDOWN"})

Client = Callable[[], Valkey]


class StoreLost(Exception):
    """Valkey did not answer in time, or not at all; decide without it."""


class Script:
    """A Lua script kept beside this module, called by its digest."""

    def __init__(self, name: str) -> None:
        self.text = files(__package__).joinpath(name).read_text("utf-8")
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class _Call:
    script: Script
    given: tuple[str | int, ...]
    answer: asyncio.Future[Any]
    asked_at: float = field(default_factory=monotonic)


@dataclass
class _Line:
    """The calls waiting for one Valkey, and whether it is lost.

    Limits and guesses share it: what comes in together goes out together, over one connection, so that a burst of
    requests costs one round trip and not one connection each; and a request that needs both waits once.
    """

    waiting: list[_Call] = field(default_factory=list)
    sender: asyncio.Task[None] | None = None
    lost: bool = False
    ask_again_at: float = 0.0
    longest_wait: float = 0.0


_LINES: WeakKeyDictionary[Valkey, _Line] = WeakKeyDictionary()


class SharedStore:
    """Valkey, as far as the limits use it.

    After a failure nobody waits for it again until one call, once a second, has found it back; so a hanging
    Valkey costs a quarter of a second once, not per request.
    """

    def __init__(self, client: Client, *, retry: float = RETRY) -> None:
        self._client = client
        self._retry = retry

    @property
    def lost(self) -> bool:
        """Whether Valkey did not answer when it was last asked."""
        return self._line().lost

    @property
    def longest_wait(self) -> float:
        """The most seconds any call has waited for its answer or for the news that there is none."""
        return self._line().longest_wait

    def _line(self) -> _Line:
        return _LINES.setdefault(self._client(), _Line())

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run `script` atomically; raises StoreLost when Valkey is lost, at the latest TIMEOUT and GRACE after this was called.

        GRACE once more where Valkey had forgotten the script.  Only where this process itself stood still past the
        deadline is Valkey asked anew, and all of that begins again then.
        """
        line = self._line()
        if line.lost:
            if monotonic() < line.ask_again_at:
                raise StoreLost
            line.ask_again_at = monotonic() + self._retry
        loop = asyncio.get_running_loop()
        call = _Call(script, (len(keys), *keys, *arguments), loop.create_future())
        line.waiting.append(call)
        if line.sender is None:
            line.sender = loop.create_task(self._send(line))
        try:
            return await call.answer
        finally:
            line.longest_wait = max(line.longest_wait, monotonic() - call.asked_at)

    async def _send(self, line: _Line) -> None:
        """Send what waits until nothing does; when one batch is lost, so is everything behind it."""
        try:
            while line.waiting:
                batch, line.waiting = line.waiting[:BATCH], line.waiting[BATCH:]
                try:
                    answers = await self._ask(batch)
                except (ValkeyError, OSError, TimeoutError) as error:
                    self._lose(line, batch, error)
                    await self._start_afresh()
                else:
                    self._answer(line, batch, answers)
        finally:
            line.sender = None

    async def _start_afresh(self) -> None:
        """Close all connections: one given up in the middle would hand its late answer to the next question."""
        with suppress(ValkeyError, OSError, TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await self._client().connection_pool.disconnect()

    async def _ask(self, batch: Sequence[_Call]) -> list[Any]:
        # Whoever has waited longest, behind another batch, decides how long this one may take.
        until = batch[0].asked_at + TIMEOUT
        try:
            answers = await _in_time(self._pipeline("EVALSHA", batch), until)
        except (ClientTimeout, TimeoutError):
            if monotonic() - until <= 2 * GRACE:
                raise
            # Not Valkey was late but we: this process stood still beyond the deadline.  The scripts bear repetition.
            until = monotonic() + TIMEOUT
            answers = await _in_time(self._pipeline("EVALSHA", batch), until)
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:  # Valkey has been restarted
            again = await _in_time(self._pipeline("EVAL", [batch[number] for number in unknown]), until)
            for number, answer in zip(unknown, again, strict=True):
                answers[number] = answer
        for answer in answers:
            if isinstance(answer, ValkeyError) and str(answer).partition(" ")[0] in _TAKES_NOTHING:
                raise answer
        return answers

    async def _pipeline(self, command: str, batch: Sequence[_Call]) -> list[Any]:
        pipeline: Any = self._client().pipeline(transaction=False)
        for call in batch:
            pipeline.execute_command(
                command, call.script.digest if command == "EVALSHA" else call.script.text, *call.given
            )
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    def _answer(self, line: _Line, batch: Sequence[_Call], answers: Sequence[Any]) -> None:
        if line.lost:
            line.lost = False
            log.info("limits.store_back")
        for call, answer in zip(batch, answers, strict=True):
            if call.answer.done():
                continue
            if not isinstance(answer, list):
                log.error("limits.script_failed", error=str(answer))
                call.answer.set_exception(StoreLost())
            else:
                call.answer.set_result(answer)

    def _lose(self, line: _Line, batch: Sequence[_Call], error: Exception) -> None:
        line.ask_again_at = monotonic() + self._retry
        if not line.lost:
            line.lost = True
            log.error("limits.store_lost", error=type(error).__name__, now="stricter limits, in this process only")
        behind, line.waiting = line.waiting, []
        for call in (*batch, *behind):
            if not call.answer.done():
                call.answer.set_exception(StoreLost())


async def _in_time(asked: Any, until: float) -> list[Any]:
    """Await an answer until then, and look once more, for GRACE, before giving up.

    After a busy moment the loop runs its timers before it reads its sockets: the answer may have come long ago.
    """
    asking: asyncio.Future[list[Any]] = asyncio.ensure_future(asked)
    try:
        done, _ = await asyncio.wait({asking}, timeout=max(0.0, until - monotonic()))
        if not done:
            done, _ = await asyncio.wait({asking}, timeout=GRACE)
    finally:
        if not asking.done():
            asking.cancel()
    if not done:
        raise TimeoutError
    return asking.result()
