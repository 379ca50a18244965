"""Making a backup of a running instance, and putting one back into an instance that has nothing yet."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from app.access import SYSTEM
from app.attachments.store import Store, blob_name, open_store
from app.audit import service as audit
from app.audit import verifying
from app.audit.signing import KEY
from app.audit.verdict import Report
from app.backup import tables
from app.backup.archive import FORMAT, BadArchiveError, Manifest, Reader, Writer, opened, size_of, writing
from app.errors import Conflict, NotFound, Unavailable
from app.ids import now
from app.operations import Workshop, attached
from app.settings import Settings

Progress = Callable[[str], None]
_PIECE: Final = 256 * 1024


class Made(msgspec.Struct, frozen=True):
    """A backup that was made."""

    file: str
    bytes: int
    tables: int
    rows: int
    files: int


class Restored(msgspec.Struct, frozen=True):
    """A backup that was put back, and what the verification of its trail found."""

    made_at: str
    rows: int
    files: int
    trail: Report


async def make(settings: Settings, path: Path, say: Progress) -> Made:
    """Back the running instance up to `path`; raises Conflict when there is a file already."""
    async with attached(settings) as shop:
        store = await asyncio.to_thread(open_store, settings, lambda: shop.source.snapshot.bucket)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
            try:
                with writing(path) as writer:
                    manifest = await _write(shop, store, writer, Path(folder), say)
            except FileExistsError:
                raise Conflict(f"there is a file {path} already") from None
            async with shop.database.transaction() as db:
                details = {"rows": manifest.rows, "files": len(manifest.files)}
                await audit.record(db, SYSTEM, "instance.backed_up", ("backup", path.name), details)
    return Made(str(path), size_of(path), len(manifest.tables), manifest.rows, len(manifest.files))


async def _write(shop: Workshop, store: Store, writer: Writer, folder: Path, say: Progress) -> Manifest:
    parts, made_at = [], now().isoformat()
    async with tables.snapshot(shop.database) as driver:
        revision, (event, sequence) = await tables.revision(driver), await tables.newest(driver)
        for table in tables.TABLES:
            say(table.name)
            parts.append(await tables.take(driver, table, folder / table.name))
        digests = [row[0] for row in await driver.fetch("SELECT sha256 FROM attachment_blobs ORDER BY sha256")]
    # Bytes lie under their hash and never change, so they need not be part of the snapshot.
    files = [digest.hex() for digest in digests]
    manifest = Manifest(FORMAT, made_at, revision, event, sequence, parts, files)
    writer.manifest(manifest, folder)
    for part in parts:
        writer.part(f"tables/{part.name}", folder / part.name)
    for digest in digests:
        say(f"file {digest.hex()[:8]}")
        await _fetch(store, digest, folder / "file")
        await asyncio.to_thread(writer.part, f"files/{digest.hex()}", folder / "file")
    return manifest


async def _fetch(store: Store, digest: bytes, path: Path) -> None:
    pieces = await store.read(blob_name(digest))
    if pieces is None:
        raise NotFound(f"an attached file is missing in the store: {blob_name(digest)}")
    with path.open("wb") as kept:
        async for piece in pieces:
            kept.write(piece)


async def restore(settings: Settings, path: Path, say: Progress) -> Restored:
    """Put a backup back into the running instance, all of it or nothing, and verify the trail.

    Raises Conflict for a file that is no whole backup, another schema, or a database that is not empty.
    """
    async with attached(settings) as shop:
        store = await asyncio.to_thread(open_store, settings, lambda: shop.source.snapshot.bucket)
        with tempfile.TemporaryDirectory(prefix="scriptorium-restore-") as folder:
            try:
                with opened(path) as reader:
                    await _read(shop, store, reader, Path(folder), path.name, say)
                    manifest = reader.manifest
            except BadArchiveError as error:
                raise Conflict(f"{path} is not a whole backup: {error}") from None
            except OSError as error:
                raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        say("verifying the trail")
        keys = await shop.source.public_keys(KEY)
        report = await verifying.verify(shop.database, keys, [], _unseen)
    return Restored(manifest.made_at, manifest.rows, len(manifest.files), report)


async def _read(shop: Workshop, store: Store, reader: Reader, folder: Path, name: str, say: Progress) -> None:
    manifest = reader.manifest
    if not tables.known(manifest.tables):
        raise BadArchiveError("its tables are not those of this version")
    say("making room for the trail's numbers")
    async with shop.database.transaction() as db:
        await tables.begin(db, manifest.revision)
    await tables.advance(shop.database, manifest.newest_event)
    async with shop.database.transaction() as db:
        driver = await tables.begin(db, manifest.revision)
        for part in manifest.tables:
            say(part.name)
            reader.part(f"tables/{part.name}", part.sha256, folder / "part")
            await tables.put(driver, part, folder / "part")
        for digest in manifest.files:
            say(f"file {digest[:8]}")
            reader.part(f"files/{digest}", digest, folder / "part")
            async with store.arriving(_pieces(folder / "part")) as arrival:
                await store.keep(arrival, blob_name(arrival.digest))
        reader.finish()
        await tables.continue_sequence(db, manifest.newest_sequence)
        details = {"made_at": manifest.made_at, "rows": manifest.rows, "files": len(manifest.files)}
        await audit.record(db, SYSTEM, "instance.restored", ("backup", name), details)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece


def _unseen(_done: int, _total: int) -> Any:
    """The verification's own progress, which is over soon."""
