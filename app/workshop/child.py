"""A child process with pipes, started without copying this one.

The event loop's own way forks, and a fork copies the page tables of a worker and write-protects its memory: every request
under way stands still for 30 ms, measured in a worker of 170 MB.  `subprocess` starts the new program in the parent's
memory instead (vfork, CPython bpo-35823), which takes one.
"""

from __future__ import annotations

import asyncio
import subprocess
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial


class Child:
    """A running program: what it is told, what it says, and how it ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._pipes: list[asyncio.BaseTransport] = []
        self.stdin: StreamWriter
        self.stdout = StreamReader()
        self.stderr = StreamReader()

    @classmethod
    async def start(cls, command: Sequence[str], *, place: str, environment: Mapping[str, str]) -> Child:
        """Start `command` in the folder `place`, in a session of its own; raises OSError."""
        process = subprocess.Popen(  # noqa: S603, ASYNC220  # words of our own; it takes a millisecond
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=place,
            env=environment,
            start_new_session=True,
        )
        child = cls(process)
        try:
            await child._connect()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return child

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        return await asyncio.to_thread(self._process.wait)

    async def end(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        with suppress(ProcessLookupError):
            self._process.kill()
        for pipe in self._pipes:
            pipe.close()
        # Shielded: a caller who goes away must not leave a dead child behind.
        await asyncio.shield(self.wait())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        inlet, protocol = await loop.connect_write_pipe(
            lambda: StreamReaderProtocol(StreamReader()), self._process.stdin
        )
        self._pipes.append(inlet)
        self.stdin = StreamWriter(inlet, protocol, None, loop)
        for reader, pipe in ((self.stdout, self._process.stdout), (self.stderr, self._process.stderr)):
            outlet, _ = await loop.connect_read_pipe(partial(StreamReaderProtocol, reader), pipe)
            self._pipes.append(outlet)
