"""The file a backup is: a compressed tar with a manifest first, then tables, then attached files.

Every part is named in the manifest with its SHA-256; a part that is missing, changed or not named makes the file bad.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_PIECE: Final = 1024 * 1024
_LONGEST_MANIFEST: Final = 256 * 1024 * 1024


class BadArchiveError(ValueError):
    """The file is no backup of ours, or not as it was made."""


class TablePart(msgspec.Struct, frozen=True):
    """The rows of one table, in PostgreSQL's text form of COPY."""

    name: str
    columns: list[str]
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What is in a backup.  `files` are the SHA-256 of attached files, `newest_event` is the trail's largest number."""

    format: int
    made_at: str
    revision: str
    newest_event: int
    newest_sequence: int
    tables: list[TablePart]
    files: list[str]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


class Writer:
    """A backup being made."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def manifest(self, manifest: Manifest, folder: Path) -> None:
        path = folder / MANIFEST
        path.write_bytes(msgspec.json.encode(manifest))
        self.part(MANIFEST, path)

    def part(self, name: str, path: Path) -> None:
        """Add a file under `name`."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = path.stat().st_size, 0o600
        with path.open("rb") as content:
            self._tar.addfile(member, content)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Make a backup at `path`, which must not exist; it is there under its name only when it is whole."""
    passing = path.with_name(f".{path.name}.part")
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # the name is ours; raises FileExistsError
    os.close(made)
    try:
        with (
            os.fdopen(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw,
            tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar,
        ):
            yield Writer(tar)
        passing.replace(path)
    except BaseException:
        passing.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise


class Reader:
    """A backup being read, from its beginning to its end."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        name, content = self._next()
        if name != MANIFEST:
            raise BadArchiveError("it does not begin with a manifest")
        try:
            manifest = msgspec.json.decode(content.read(_LONGEST_MANIFEST), type=Manifest)
        except msgspec.DecodeError as error:
            raise BadArchiveError(f"its manifest cannot be read: {error}") from None
        if manifest.format != FORMAT:
            raise BadArchiveError(f"it is of format {manifest.format}; this version reads format {FORMAT}")
        return manifest

    def _next(self) -> tuple[str, IO[bytes]]:
        member = self._tar.next()
        content = self._tar.extractfile(member) if member is not None and member.isfile() else None
        if member is None or content is None:
            raise BadArchiveError("it ends too early")
        return member.name, content

    def part(self, name: str, sha256: str, target: Path) -> None:
        """Put the next part, which must be `name` with this hash, into `target`; raises BadArchiveError."""
        found, content = self._next()
        if found != name:
            raise BadArchiveError(f"{name} is missing")
        digest = hashlib.sha256()
        with target.open("wb") as kept:
            while piece := content.read(_PIECE):
                digest.update(piece)
                kept.write(piece)
        if digest.hexdigest() != sha256:
            raise BadArchiveError(f"{name} is not as it was when the backup was made")

    def finish(self) -> None:
        """Raise BadArchiveError unless everything was read."""
        if self._tar.next() is not None:
            raise BadArchiveError("it holds more than its manifest names")


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Read the backup at `path`; raises BadArchiveError for what is none, and OSError."""
    try:
        with tarfile.open(path, "r:gz") as tar:
            yield Reader(tar)
    except (tarfile.TarError, EOFError, ValueError) as error:
        if isinstance(error, BadArchiveError):
            raise
        raise BadArchiveError(f"it cannot be read: {error}") from None


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """How many bytes a file has."""
    return path.stat().st_size
