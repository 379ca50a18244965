"""Large blocks go back to the system at once, also after larger ones have been freed."""

from __future__ import annotations

import multiprocessing
import platform
from multiprocessing.connection import Connection

import psutil

from app.memory import LARGE, return_large_blocks

MIB = 1024 * 1024


def hold_and_let_go(line: Connection) -> None:
    """Hold blocks of 5 MiB with something small between them, let go of every block, and tell what is left."""
    told = return_large_blocks()
    process = psutil.Process()
    bytes(8 * MIB)  # the largest block ever freed is what the C library would go by
    before = process.memory_info().rss
    held = [(bytearray(5 * MIB), bytearray(LARGE // 2)) for _ in range(8)]
    for large, _ in held:
        large[:] = b"x" * len(large)
    most = process.memory_info().rss - before
    small = [between for _, between in held]
    del held, large
    line.send((told, most, process.memory_info().rss - before, len(small)))


def test_nothing_large_is_kept() -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold_and_let_go, args=(theirs,))
    process.start()
    theirs.close()  # or nobody would hear of it if the process died
    assert ours.poll(60)
    told, most, left, _ = ours.recv()
    process.join()
    assert told == (platform.libc_ver()[0] == "glibc")
    assert most > 40 * MIB
    assert left < 4 * MIB
