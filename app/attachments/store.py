"""Where bytes lie: a folder by default, an S3-compatible bucket by setting, through one interface (obstore).

Names in it are made here from hashes and random numbers, never from anything a person sent.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from app.errors import Unavailable
from app.settings import Settings
from app.vault.snapshot import BucketKeys

if TYPE_CHECKING:  # a type without a value to import
    from obstore.store import S3Credential

PIECE: Final = 64 * 1024
# What is written at once: a bucket takes no smaller parts than 5 MiB, a folder takes any.
_FOLDER_BUFFER: Final = 256 * 1024
_BUCKET_BUFFER: Final = 5 * 1024 * 1024
INCOMING: Final = "incoming"
Credentials = Callable[[], BucketKeys | None]
_FOLLOWED: Final = timedelta(seconds=10)
"""How long keys are used before they are asked for again: a rotation in Vault is followed that soon."""


class Arrival:
    """Bytes that have come in completely under a passing name: their hash, their number and how they begin."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.size = 0
        self.head = b""
        self._hash = sha256()

    @property
    def digest(self) -> bytes:
        return self._hash.digest()

    def note(self, piece: bytes, head: int) -> None:
        self.size += len(piece)
        self._hash.update(piece)
        if len(self.head) < head:
            self.head += piece[: head - len(self.head)]


class Store:
    """The attachments' store."""

    def __init__(self, store: ObjectStore, *, buffer: int = _FOLDER_BUFFER) -> None:
        self._store = store
        self._buffer = buffer

    @asynccontextmanager
    async def arriving(self, pieces: AsyncIterable[bytes], *, head: int = 0) -> AsyncIterator[Arrival]:
        """Take bytes in, piece by piece; what is not kept by `keep` before the end is thrown away."""
        arrival = Arrival(f"{INCOMING}/{secrets.token_hex(16)}")
        try:
            with _store_faults():
                writer = obstore.open_writer_async(
                    self._store, arrival.place, buffer_size=self._buffer, max_concurrency=1
                )
                async with writer:
                    async for piece in pieces:
                        arrival.note(piece, head)
                        await writer.write(piece)
            yield arrival
        finally:
            with suppress(BaseError, OSError):
                await obstore.delete_async(self._store, arrival.place)

    async def keep(self, arrival: Arrival, name: str) -> None:
        """Keep what arrived under `name`, in place of what was there."""
        with _store_faults():
            await obstore.rename_async(self._store, arrival.place, name)

    async def read(self, name: str) -> AsyncIterator[bytes] | None:
        """The bytes under `name`, piece by piece; None when there are none."""
        try:
            with _store_faults():
                found = await obstore.get_async(self._store, name)
        except NotFoundError:
            return None
        return _pieces(found)

    async def size(self, name: str) -> int | None:
        """How many bytes are under `name`; None when there are none."""
        try:
            with _store_faults():
                found = await obstore.head_async(self._store, name)
        except NotFoundError:
            return None
        return found["size"]

    async def remove(self, name: str) -> None:
        """Throw away what is under `name`, if anything."""
        try:
            with _store_faults():
                await obstore.delete_async(self._store, name)
        except NotFoundError:
            return

    async def remove_old(self, folder: str, older_than: timedelta) -> int:
        """Throw away everything in a folder that was last written before then; returns how many."""
        before = datetime.now(UTC) - older_than
        old: list[str] = []
        with _store_faults():
            async for found in obstore.list(self._store, folder):
                old += [one["path"] for one in found if one["last_modified"] < before]
        for name in old:
            await self.remove(name)
        return len(old)


def _without() -> None:
    return None


def open_store(settings: Settings, credentials: Credentials = _without) -> Store:
    """The store the settings name.  `credentials` gives a bucket's keys as Vault has them now."""
    place = urlsplit(settings.attachments_url)
    if place.scheme == "memory":
        return Store(MemoryStore())
    if place.scheme != "s3":
        folder = settings.state / "attachments"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Store(LocalStore(folder))
    options: dict[str, Any] = {}
    if settings.attachments_endpoint:
        options["endpoint"] = settings.attachments_endpoint

    def provide() -> S3Credential:
        held = credentials()
        if held is None:
            raise Unavailable("Files cannot be reached right now", code="store_unavailable")
        return {
            "access_key_id": held.access_key_id,
            "secret_access_key": held.secret_access_key,
            "expires_at": datetime.now(UTC) + _FOLLOWED,
        }

    # Always ours: what the environment or a machine's own role would offer is not what Vault holds.
    options["credential_provider"] = provide
    bucket = S3Store(
        place.netloc,
        prefix=place.path.strip("/") or None,
        region=settings.attachments_region,
        client_options={"allow_http": settings.attachments_endpoint.startswith("http://"), "timeout": "60s"},
        **options,
    )
    return Store(bucket, buffer=_BUCKET_BUFFER)


def blob_name(digest: bytes) -> str:
    """Where the bytes with this hash lie."""
    text = digest.hex()
    return f"blobs/{text[:2]}/{text}"


async def _pieces(found: Any) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=PIECE):
        yield bytes(piece)


class _store_faults:  # noqa: N801 - used as a function
    """What the store cannot do now, in our words; that there is nothing under a name passes through."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFoundError | FileNotFoundError):
            raise NotFoundError(str(error)) from error
        if isinstance(error, BaseError | OSError):  # a writer says the latter, whatever it was
            raise Unavailable("Files cannot be reached right now", code="store_unavailable") from error
