"""The workshop of one worker: a bounded line before a few benches, and what comes of a task, piece by piece."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Literal

import structlog

from app.errors import DomainError
from app.web.lanes import Busy, Lane
from app.workshop.bench import REFUSED
from app.workshop.child import Child

Kind = Literal["image", "paper", "book"]
PIECE: Final = 64 * 1024
MIB: Final = 1024 * 1024
_log = structlog.get_logger("scriptorium.workshop")


class Unworkable(DomainError):
    """The task itself cannot be done; `word` is the bench's reason."""

    status = 422
    code = "unworkable"
    title = "This cannot be made"

    def __init__(self, word: str) -> None:
        super().__init__("It is damaged, or too large for what was asked.", code=f"unworkable_{word}")
        self.word = word


class Workshop:
    """`benches` tasks at a time, `line` waiting at most, none longer than `patience` seconds.

    A task has `seconds` of the processor and `memory` bytes of address space.  Benches work when nobody else does, so
    by the clock it may take longer, up to `clock` seconds: then the machine is busy, and nothing is wrong with the task.
    """

    def __init__(
        self,
        *,
        benches: int = 1,
        line: int = 50,
        patience: float = 20.0,
        seconds: int = 10,
        clock: float = 30.0,
        memory: int = 1024 * MIB,
    ) -> None:
        self._lane = Lane(at_once=benches, line=line, patience=patience)
        self._seconds = seconds
        self._clock = clock
        self._memory = memory
        self.done = 0
        self.failed = 0

    @property
    def waiting(self) -> int:
        """How many wait for a bench."""
        return self._lane.waiting

    def bench(self) -> AbstractAsyncContextManager[None]:
        """A place to work; raises Busy when the line is full or does not move."""
        return self._lane.place()

    async def work(self, kind: Kind, task: AsyncIterable[bytes], *, most: int) -> AsyncIterator[bytes]:
        """Do one task at a bench the caller has taken; gives at most `most` bytes, piece by piece.

        Raises Unworkable for the task's own faults, Busy when it took too long by the clock, and whatever `task` raises,
        also after pieces were given: what was made is good only when this ends without an error.
        """
        with tempfile.TemporaryDirectory(prefix="bench-") as place:
            process = await self._start(kind, place)
            try:
                async with asyncio.timeout(self._clock):
                    feeding = asyncio.create_task(_feed(process, task))
                    try:
                        async for piece in _pieces(process, most):
                            yield piece
                        await feeding
                        word = await _word(process)
                        code = await process.wait()
                    finally:
                        feeding.cancel()
            except TimeoutError:
                self.failed += 1
                _log.warning("workshop.late", kind=kind, seconds=self._clock)
                raise Busy(self._seconds) from None
            finally:
                await process.end()
        if code != 0:
            self.failed += 1
            _log.warning("workshop.failed", kind=kind, code=code, word=word)
            if code == -signal.SIGXCPU:
                raise Unworkable("time")
            raise Unworkable(word if code == REFUSED and word.isalpha() else "failed")
        self.done += 1

    async def _start(self, kind: Kind, place: str) -> Child:
        return await Child.start(
            [sys.executable, "-I", "-m", "app.workshop.bench", kind, str(self._seconds), str(self._memory)],
            place=place,
            # Nothing of ours but where programs are: a bench has no business with settings or anybody's home.
            environment={
                "PATH": os.defpath,
                "HOME": place,
                "TMPDIR": place,
                "LANG": "C.UTF-8",
                "RAYON_NUM_THREADS": "1",
            },
        )


async def _feed(process: Child, task: AsyncIterable[bytes]) -> None:
    # A bench that gave up does not listen any more; its exit code says why.
    with suppress(BrokenPipeError, ConnectionResetError):
        try:
            async for piece in task:
                process.stdin.write(piece)
                await process.stdin.drain()
        finally:
            process.stdin.close()  # also when there is no rest: the bench would wait for it
        await process.stdin.wait_closed()


async def _pieces(process: Child, most: int) -> AsyncIterator[bytes]:
    left = most
    while piece := await process.stdout.read(PIECE):
        left -= len(piece)
        if left < 0:
            raise Unworkable("size")
        yield piece


async def _word(process: Child) -> str:
    said = await process.stderr.read(2000)
    return said.decode("utf-8", "replace").strip()


class Pictures(Workshop):
    """Where pictures are made ready for pages."""


class Press(Workshop):
    """Where texts are set on paper."""
