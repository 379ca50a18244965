"""Pictures for pages: made anew once in the workshop, then kept beside the bytes they came from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from app.attachments.store import Store, blob_name
from app.errors import NotFound
from app.workshop.service import MIB, Pictures

FOLDER: Final = "inline"
_EDITION: Final = "1"
"""Goes up when pictures are made differently."""
_MOST: Final = 16 * MIB
_SIGNATURES: Final = {b"\x89P": "image/png", b"\xff\xd8": "image/jpeg"}


class Gallery:
    """The pictures of one worker; whoever asks for one that is being made waits for it."""

    def __init__(self, store: Store, pictures: Pictures) -> None:
        self._store = store
        self._pictures = pictures
        self._making: dict[str, asyncio.Lock] = {}

    async def picture(self, digest: str) -> tuple[str, AsyncIterator[bytes]]:
        """Media type and bytes of the picture made from these bytes; raises NotFound, Unworkable or Busy."""
        name = place_of(digest)
        found = await self._store.read(name)
        if found is None:
            await self._make(digest, name)
            found = await self._store.read(name)
        if found is None:
            raise NotFound
        first = await anext(found, b"")
        return _SIGNATURES[first[:2]], _rejoined(first, found)

    async def ready(self, digest: str) -> int:
        """See to it that the picture is there, at `place_of(digest)`; returns its size.  Raises as `picture` does."""
        name = place_of(digest)
        size = await self._store.size(name)
        if size is None:
            await self._make(digest, name)
            size = await self._store.size(name)
        if size is None:
            raise NotFound
        return size

    async def _make(self, digest: str, name: str) -> None:
        """Make the picture, unless somebody else has meanwhile; opens nothing but what it is made from."""
        lock = self._making.setdefault(name, asyncio.Lock())
        try:
            async with lock:
                if await self._store.size(name) is None:
                    await self._make_anew(digest, name)
        finally:
            if not lock.locked():
                self._making.pop(name, None)

    async def _make_anew(self, digest: str, name: str) -> None:
        original = await self._store.read(blob_name(bytes.fromhex(digest)))
        if original is None:
            raise NotFound
        async with self._pictures.bench():
            made = self._pictures.work("image", original, most=_MOST)
            async with self._store.arriving(made) as arrival:
                await self._store.keep(arrival, name)


def place_of(digest: str) -> str:
    """Where in the store the picture lies that was made from the bytes with this hash."""
    return f"{FOLDER}/{digest[:2]}/{digest}-{_EDITION}"


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
