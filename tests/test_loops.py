"""What goes on in the background without anybody waiting for it: no fault ends it, and one nobody foresaw is told whole."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

import asyncpg
import pytest
from structlog.testing import capture_logs
from valkey.exceptions import ValkeyError

from app.accounts import suspensions
from app.accounts.suspensions import Suspensions
from app.books import Book
from app.errors import Unavailable
from app.live import hub
from app.live.hub import Hub
from app.rights import line
from app.rights.line import NoticeLine
from app.tasks import end
from app.web import sweeping
from app.web.sweeping import Sweeper

Work = Callable[[], Awaitable[Any]]
NOBODY = cast(Any, None)
FORESEEN = (Unavailable(), ConnectionResetError(), asyncpg.InterfaceError("connection is closed"))
FORESEEN_KINDS = tuple(type(fault) for fault in FORESEEN)


class Diary(Book):
    every: ClassVar[float] = 0.0
    name: ClassVar[str] = "diary"

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    async def _write(self) -> None:
        await self._work()


def book(work: Work, _: pytest.MonkeyPatch) -> Awaitable[None]:
    return Diary(work)._keep_writing()


def looking(work: Work, patch: pytest.MonkeyPatch) -> Awaitable[None]:
    patch.setattr(suspensions, "LOOK_EVERY", 0.0)
    patch.setattr(Suspensions, "look", lambda _: work())
    return Suspensions(NOBODY)._keep_looking()


def sweeper(work: Work, patch: pytest.MonkeyPatch) -> Awaitable[None]:
    patch.setattr(sweeping, "EVERY", 0.0)
    patch.setattr(secrets, "randbelow", lambda _: 0)
    patch.setattr(Sweeper, "sweep", lambda _: work())
    return Sweeper(NOBODY, [])._keep_sweeping()


def listening(work: Work, patch: pytest.MonkeyPatch) -> Awaitable[None]:
    patch.setattr(line, "SLOWEST_RETRY", 0.0)
    patch.setattr(NoticeLine, "_open", lambda _: work())
    return NoticeLine(NOBODY, NOBODY, heard=NOBODY, restored=NOBODY)._keep_up()


def hearing(work: Work, patch: pytest.MonkeyPatch) -> Awaitable[None]:
    async def translated() -> None:
        try:
            await work()
        except FORESEEN_KINDS as error:
            raise type(type(error).__name__, (ValkeyError,), {}) from error  # the same, as Valkey's client would say it

    patch.setattr(hub, "_AGAIN", 0.0)
    patch.setattr(Hub, "_listen", lambda _: translated())
    return Hub(NOBODY)._keep_listening()


@pytest.mark.parametrize("loop", [book, looking, sweeper, listening, hearing])
async def test_what_was_foreseen_is_told_in_a_word_and_everything_else_with_where_it_happened(
    loop: Callable[[Work, pytest.MonkeyPatch], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [*FORESEEN, RuntimeError("nobody thought of it")]
    over = asyncio.Event()

    async def work() -> None:
        if faults:
            raise faults.pop(0)
        over.set()
        await asyncio.Event().wait()

    with capture_logs() as told:
        task = asyncio.ensure_future(loop(work, monkeypatch))
        async with asyncio.timeout(10.0):
            await over.wait()
        await end(task)
    assert [event.get("reason") for event in told] == [*(type(fault).__name__ for fault in FORESEEN), None]
    assert [event["log_level"] for event in told] == ["warning"] * len(FORESEEN) + ["error"]
    assert [event for event in told if event.get("exc_info")] == told[-1:], "only this one with its traceback"
