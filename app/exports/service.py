"""Having a text made into PDF or EPUB once per state of it: kept under the hash of everything that goes in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from app.access import Actor
from app.attachments.illustrations import Illustration
from app.attachments.pictures import Gallery, place_of
from app.attachments.store import Store
from app.errors import NotFound
from app.exports.easel import Easel
from app.exports.texts import Manuscript
from app.settings import Settings
from app.web.budgets import Budgets
from app.workshop.service import MIB, Press
from app.workshop.sheets import EDITION, Sheet, opened_by

Made = Literal["paper", "book"]
ENDINGS: Final[Mapping[Made, str]] = MappingProxyType({"paper": "pdf", "book": "epub"})
FOLDER: Final = "exports"
KEPT: Final = timedelta(days=7)
"""After that a file is made again if anybody wants it."""
_MOST: Final = 48 * MIB


class Printer:
    """The made files of one worker; whoever asks for one that is being made waits for it and spends nothing."""

    def __init__(self, settings: Settings, store: Store, gallery: Gallery, press: Press, budgets: Budgets) -> None:
        self._fonts = str(settings.export_fonts.absolute()) if settings.export_fonts else ""
        self._store = store
        self._easel = Easel(gallery)
        self._press = press
        self._budgets = budgets
        self._making: dict[str, asyncio.Lock] = {}

    async def made(self, actor: Actor, text: Manuscript, kind: Made) -> tuple[str, AsyncIterator[bytes]]:
        """The file's hash and bytes; raises Throttled (budget), Busy (line, machine) or Unworkable (the text itself)."""
        sheet = Sheet(text.title, text.body, [*text.people], [*text.lines], int(text.at.timestamp()), self._fonts)
        pictures = [(one.address, place_of(one.sha256)) for one in text.pictures]
        digest = sha256(EDITION.encode() + msgspec.json.encode([sheet, pictures])).hexdigest()
        name = _name(digest, kind)
        found = await self._store.read(name)
        if found is None:
            lock = self._making.setdefault(name, asyncio.Lock())
            try:
                async with lock:
                    found = await self._store.read(name)
                    if found is None:
                        return await self._make(actor, kind, sheet, text.pictures, digest)
            finally:
                if not lock.locked():
                    self._making.pop(name, None)
        return digest, found

    async def _make(
        self, actor: Actor, kind: Made, sheet: Sheet, pictures: Sequence[Illustration], digest: str
    ) -> tuple[str, AsyncIterator[bytes]]:
        async with self._budgets.spending("exports", actor):
            hung = await self._easel.hang(pictures)
            if any(plate.why == "late" for plate in hung.plates):
                digest = secrets.token_hex(32)  # another try may do better, so this one is found by nobody else
            task = _task(self._store, msgspec.structs.replace(sheet, pictures=hung.plates), hung.places)
            made = self._press.work(kind, task, most=_MOST)
            async with self._press.bench(), self._store.arriving(made) as arrival:
                await self._store.keep(arrival, _name(digest, kind))
        found = await self._store.read(_name(digest, kind))
        if found is None:
            raise NotFound
        return digest, found


def _name(digest: str, kind: Made) -> str:
    return f"{FOLDER}/{digest[:2]}/{digest}.{ENDINGS[kind]}"


async def _task(store: Store, sheet: Sheet, places: Sequence[str]) -> AsyncIterator[bytes]:
    """What the press is sent: piece by piece, so that no worker ever holds the pictures of a text."""
    yield opened_by(sheet)
    for place in places:
        found = await store.read(place)
        if found is None:
            raise NotFound
        async for piece in found:
            yield piece


async def sweep(store: Store) -> int:
    """Throw away files made long ago; returns how many."""
    return await store.remove_old(FOLDER, KEPT)
