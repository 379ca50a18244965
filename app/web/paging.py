"""Keyset paging: a cursor is the key of the last row, so a page costs the same however deep it lies and none is skipped."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec

from app.errors import Invalid

T = TypeVar("T")
LARGEST_PAGE = 100
DEFAULT_PAGE = 20
LONGEST_NUMBER = 9  # digits
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR_BYTES = 24
_FOREIGN = "This is not a cursor we gave out."


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a list, and from where on."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


def encode_cursor(moment: datetime, row_id: UUID) -> str:
    """The cursor that continues after the row with this key."""
    microseconds = (moment - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(microseconds.to_bytes(8) + row_id.bytes).decode()


def decode_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The key in a cursor; raises Invalid for one we did not make."""
    if not cursor:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii"))
        moment = _EPOCH + int.from_bytes(raw[:-16]) * _MICROSECOND
    except (ValueError, binascii.Error, OverflowError):
        raise Invalid({"cursor": [_FOREIGN]}) from None
    if len(raw) != _CURSOR_BYTES or urlsafe_b64encode(raw).decode() != cursor:
        raise Invalid({"cursor": [_FOREIGN]})
    return moment, UUID(bytes=raw[-16:])


def encode_number(number: int) -> str:
    """A cursor for lists that are ordered by one number."""
    return str(number)


def decode_number(cursor: str | None) -> int | None:
    """The number in such a cursor; raises Invalid."""
    if not cursor:
        return None
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > LONGEST_NUMBER:
        raise Invalid({"cursor": [_FOREIGN]})
    return int(cursor)


def split(rows: Sequence[T], limit: int) -> tuple[list[T], bool]:
    """Callers ask for `limit + 1` rows; this gives the page and whether there is another."""
    return list(rows[:limit]), len(rows) > limit


def page_of(
    items: Iterable[T], query: PageQuery, key: Callable[[T], tuple[datetime, UUID]]
) -> tuple[list[T], str | None]:
    """A page of a list that is small enough to be read whole, newest first, and the cursor of the next one."""
    after = decode_cursor(query.cursor)
    ordered = sorted(items, key=key, reverse=True)
    rest = [item for item in ordered if after is None or key(item) < after]
    page, more = split(rest, query.limit)
    return page, encode_cursor(*key(page[-1])) if more else None
