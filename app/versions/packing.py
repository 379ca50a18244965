"""How a version's text is kept: as zstd (RFC 8878), most of them against an earlier full copy, so a save costs little.

Every version is either a full copy or packed against exactly one that is, never against another packed one: reading
any version unpacks two texts at most, however long the history.  A new full copy is made every `RUN` versions, and
sooner where the text has moved so far from the last one that packing against it no longer pays.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import zstandard

RUN: Final = 50
LEVEL: Final = 6
_PAYS: Final = 3
"""A packed text is kept while it is at least this many times smaller than the full copy it refers to."""
_IN_THREAD: Final = 200_000  # bytes; below, the hop to a thread costs more than the work
_LARGEST: Final = 8 * 1024 * 1024
_BETWEEN: Final = "\0"  # no text holds it


@dataclass(frozen=True, slots=True)
class Packed:
    """A text as it is stored; `base` is the version of the full copy it needs, None when it is one itself."""

    data: bytes
    base: int | None


@dataclass(frozen=True, slots=True)
class FullCopy:
    """The newest full copy of a document: its version and its bytes as stored."""

    version: int
    data: bytes


async def pack(brief: str, body: str, version: int, copy: FullCopy | None) -> Packed:
    """Pack the texts of `version`, against `copy` where that pays."""
    text = f"{brief}{_BETWEEN}{body}".encode()
    if len(text) < _IN_THREAD:
        return pack_bytes(text, version, copy)
    return await asyncio.to_thread(pack_bytes, text, version, copy)


async def unpack(data: bytes, base: bytes | None) -> tuple[str, str]:
    """The brief and the body in `data`, packed against the full copy `base`; raises ZstdError for another one."""
    small = len(data) + len(base or b"") < _IN_THREAD // 4
    text = unpack_bytes(data, base) if small else await asyncio.to_thread(unpack_bytes, data, base)
    brief, _, body = text.decode().partition(_BETWEEN)
    return brief, body


def pack_bytes(text: bytes, version: int, copy: FullCopy | None) -> Packed:
    """As `pack`, at once."""
    if copy is not None and version - copy.version < RUN:
        data = _compressor(len(text), unpack_bytes(copy.data, None)).compress(text)
        if len(data) * _PAYS <= len(copy.data):
            return Packed(data, copy.version)
    return Packed(_compressor(len(text)).compress(text), None)


def unpack_bytes(data: bytes, base: bytes | None) -> bytes:
    """As `unpack`, at once and undivided."""
    reference = None if base is None else _reference(unpack_bytes(base, None))
    return zstandard.ZstdDecompressor(dict_data=reference).decompress(data, max_output_size=_LARGEST)


def _compressor(size: int, reference: bytes = b"") -> zstandard.ZstdCompressor:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, source_size=size, dict_size=len(reference), write_checksum=True
    )
    if not reference:
        return zstandard.ZstdCompressor(compression_params=parameters)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=_reference(reference))


def _reference(text: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
