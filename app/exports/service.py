"""Having a text made into PDF or EPUB once per state of it: kept under the hash of everything that goes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from app.access import Actor
from app.attachments.store import Store
from app.errors import NotFound
from app.exports.texts import Manuscript
from app.settings import Settings
from app.web.budgets import Budgets
from app.workshop.service import MIB, Press
from app.workshop.sheets import EDITION, Sheet

Made = Literal["paper", "book"]
ENDINGS: Final[Mapping[Made, str]] = MappingProxyType({"paper": "pdf", "book": "epub"})
FOLDER: Final = "exports"
KEPT: Final = timedelta(days=7)
"""After that a file is made again if anybody wants it."""
_MOST: Final = 32 * MIB


class Printer:
    """The made files of one worker; whoever asks for one that is being made waits for it and spends nothing."""

    def __init__(self, settings: Settings, store: Store, press: Press, budgets: Budgets) -> None:
        self._fonts = str(settings.export_fonts.absolute()) if settings.export_fonts else ""
        self._store = store
        self._press = press
        self._budgets = budgets
        self._making: dict[str, asyncio.Lock] = {}

    async def made(self, actor: Actor, text: Manuscript, kind: Made) -> tuple[str, AsyncIterator[bytes]]:
        """The file's hash and bytes; raises Throttled (budget), Busy (line) or Unworkable (the text itself)."""
        task = msgspec.json.encode(
            Sheet(text.title, text.body, [*text.people], [*text.lines], int(text.at.timestamp()), self._fonts)
        )
        digest = sha256(EDITION.encode() + task).hexdigest()
        name = f"{FOLDER}/{digest[:2]}/{digest}.{ENDINGS[kind]}"
        found = await self._store.read(name)
        if found is None:
            lock = self._making.setdefault(name, asyncio.Lock())
            try:
                async with lock:
                    found = await self._store.read(name) or await self._make(actor, kind, task, name)
            finally:
                if not lock.locked():
                    self._making.pop(name, None)
        return digest, found

    async def _make(self, actor: Actor, kind: Made, task: bytes, name: str) -> AsyncIterator[bytes]:
        made = self._press.work(kind, _once(task), most=_MOST)
        async with self._budgets.spending("exports", actor), self._press.bench(), self._store.arriving(made) as arrival:
            await self._store.keep(arrival, name)
        found = await self._store.read(name)
        if found is None:
            raise NotFound
        return found


async def _once(task: bytes) -> AsyncIterator[bytes]:
    yield task


async def sweep(store: Store) -> int:
    """Throw away files made long ago; returns how many."""
    return await store.remove_old(FOLDER, KEPT)
