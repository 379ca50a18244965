"""The trail as a file: CSV for spreadsheets, JSON Lines for programs; streamed, however long it is."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from app.audit import service
from app.audit.queries import After, Filters
from app.database import Database

Format = Literal["csv", "jsonl"]

MOST: Final = 100_000  # events in one file, the newest; `since` and `until` fetch the others
PART: Final = 500  # events held in memory at a time
MEDIA_TYPES: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/jsonl"}
COLUMNS: Final = (
    "id",
    "at",
    "kind",
    "actor_id",
    "actor_name",
    "actor_via",
    "target_type",
    "target_id",
    "address",
    "request_id",
    "details",
)

# With these a spreadsheet takes a cell for a formula (ASVS 1.2.10); some take the full-width forms as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_encode = msgspec.json.Encoder().encode


async def export(database: Database, filters: Filters, form: Format, *, most: int = MOST) -> AsyncIterator[bytes]:
    """The newest `most` events that pass the filters, newest first, in parts.

    No connection is held while a part is on its way, so a slow reader costs nobody anything.
    """
    if form == "csv":
        yield _table([COLUMNS])
    after: After | None = None
    while most > 0:
        wanted = min(PART, most)
        async with database.read() as db:
            rows = await service.events(db, filters, after=after, limit=wanted)
        if rows:
            yield _table(map(_cells, rows)) if form == "csv" else b"".join(map(_line, rows))
            after = (rows[-1].at, rows[-1].id)
        if len(rows) < wanted:
            return
        most -= len(rows)


def _line(row: Sequence[Any]) -> bytes:
    return _encode(dict(zip(COLUMNS, row, strict=True))) + b"\n"


def _cells(row: Any) -> list[str]:
    event_id, at, *middle, details = row
    return [
        harmless(text) for text in (event_id, at.isoformat(), *middle, _encode(details).decode() if details else "")
    ]


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: a leading apostrophe makes it text."""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    # RFC 4180: CRLF, quotes where they are needed.
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
