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
from typing import IO


class Child:
    """A running program: what it is told, what it says, and how it ends."""

    def __init__(
        self, process: subprocess.Popen[bytes], stdin: StreamWriter, stdout: StreamReader, stderr: StreamReader
    ) -> None:
        self._process = process
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

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
        try:
            return cls(
                process, await _inlet(process.stdin), await _outlet(process.stdout), await _outlet(process.stderr)
            )
        except BaseException:
            process.kill()
            process.wait()
            raise

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, negative for a signal."""
        return await asyncio.to_thread(self._process.wait)

    async def end(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        with suppress(ProcessLookupError):
            self._process.kill()
        # Shielded: a caller who goes away must not leave a dead child behind.
        await asyncio.shield(self.wait())
        self.stdin.close()


async def _inlet(pipe: IO[bytes] | None) -> StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(lambda: StreamReaderProtocol(StreamReader()), pipe)
    return StreamWriter(transport, protocol, None, loop)


async def _outlet(pipe: IO[bytes] | None) -> StreamReader:
    reader = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(reader), pipe)
    return reader
