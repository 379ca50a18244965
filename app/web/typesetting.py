"""Rendering Markdown away from the event loop, once per text: long manuscripts take tenths of a second of pure work."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Final

from app.web.file_addresses import holds_files, placing
from app.web.markdown import Reading, read

INLINE: Final = 2_000
"""Characters; a shorter text is rendered at once, the hop to a thread would cost more."""
REMEMBERED: Final = 8_000_000
"""Characters of rendered HTML kept per process."""

_executor = ThreadPoolExecutor(1, thread_name_prefix="typesetting")
_known: OrderedDict[bytes, Reading] = OrderedDict()
_size = 0


async def typeset(text: str, *, for_everybody: bool = False) -> Reading:
    """The text as safe HTML with its headings, its files where they are served for whoever asks (or for everybody)."""
    found = await _rendered(text)
    if not holds_files(found.html):
        return found
    place = placing(for_everybody=for_everybody)
    # Not in the thread above: who reads a text that is known does not wait for those who have long ones rendered.
    small = len(found.html) <= INLINE
    return replace(found, html=place(found.html) if small else await asyncio.to_thread(place, found.html))


async def _rendered(text: str) -> Reading:
    """The same text is rendered once."""
    key = sha256(text.encode("utf-8", "surrogatepass")).digest()
    found = _known.get(key)
    if found is not None:
        _known.move_to_end(key)
        return found
    if len(text) <= INLINE:
        made = read(text)
    else:
        made = await asyncio.get_running_loop().run_in_executor(_executor, read, text)
    _remember(key, made)
    return made


def _remember(key: bytes, made: Reading) -> None:
    global _size  # noqa: PLW0603 - one cache per process, touched only by the event loop's thread
    if key in _known or len(made.html) > REMEMBERED // 4:
        return
    _known[key] = made
    _size += len(made.html)
    while _size > REMEMBERED:
        _, oldest = _known.popitem(last=False)
        _size -= len(oldest.html)
