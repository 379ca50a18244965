"""Keyset paging: a cursor is the key of the last row, so a page costs the same however deep it lies and none is skipped.

It belongs to one list with its filters and its order; with any other it is refused.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec

from app.errors import Invalid
from app.web.current import this_request

T = TypeVar("T")
LARGEST_PAGE = 100
DEFAULT_PAGE = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = 6  # bytes
_LARGEST_NUMBER = 999_999_999  # what PostgreSQL takes for an INTEGER, with room to count on from there
_DIGEST = 6  # bytes
_PLACE = ("cursor", "limit")  # where in the list, and how much of it
_UNKNOWN = "This is not a cursor we gave out."
_FOREIGN = "This cursor belongs to another list, or to other filters. Ask for the first page."

Filters = msgspec.Struct | Mapping[str, object] | None
"""What narrows a list down and orders it; where in it (`cursor`, `limit`) makes no difference."""


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a list, and from where on."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


def encode_cursor(moment: datetime, row_id: UUID, filters: Filters = None) -> str:
    """The cursor that continues this list after the row with this key."""
    microseconds = (moment - _EPOCH) // _MICROSECOND
    return _bound(microseconds.to_bytes(8) + row_id.bytes, filters)


def decode_cursor(cursor: str | None, filters: Filters = None) -> tuple[datetime, UUID] | None:
    """The key in a cursor; raises Invalid for one we did not make, or made for another list."""
    if not cursor:
        return None
    raw = _opened(cursor, 24, filters)
    try:
        return _EPOCH + int.from_bytes(raw[:8]) * _MICROSECOND, UUID(bytes=raw[8:])
    except OverflowError:
        raise Invalid({"cursor": [_UNKNOWN]}) from None


def encode_number(number: int, filters: Filters = None) -> str:
    """A cursor for lists that are ordered by one number."""
    return _bound(number.to_bytes(_NUMBER), filters)


def decode_number(cursor: str | None, filters: Filters = None) -> int | None:
    """The number in such a cursor; raises Invalid."""
    if not cursor:
        return None
    number = int.from_bytes(_opened(cursor, _NUMBER, filters))
    if number > _LARGEST_NUMBER:
        raise Invalid({"cursor": [_UNKNOWN]})
    return number


def encode_id(row_id: UUID, filters: Filters = None) -> str:
    """A cursor for lists that are ordered by their rows' ids."""
    return _bound(row_id.bytes, filters)


def decode_id(cursor: str | None, filters: Filters = None) -> UUID | None:
    """The id in such a cursor; raises Invalid."""
    return UUID(bytes=_opened(cursor, 16, filters)) if cursor else None


def split(rows: Sequence[T], limit: int) -> tuple[list[T], bool]:
    """Callers ask for `limit + 1` rows; this gives the page and whether there is another."""
    return list(rows[:limit]), len(rows) > limit


def page_of(
    items: Iterable[T], query: PageQuery, key: Callable[[T], tuple[datetime, UUID]]
) -> tuple[list[T], str | None]:
    """A page of a list that is small enough to be read whole, newest first, and the cursor of the next one."""
    after = decode_cursor(query.cursor, query)
    ordered = sorted(items, key=key, reverse=True)
    rest = [item for item in ordered if after is None or key(item) < after]
    page, more = split(rest, query.limit)
    return page, encode_cursor(*key(page[-1]), query) if more else None


def _bound(key: bytes, filters: Filters) -> str:
    return urlsafe_b64encode(key + _list(filters)).decode().rstrip("=")


def _opened(cursor: str, length: int, filters: Filters) -> bytes:
    """The key of so many bytes in a cursor of this very list."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:  # what is not ASCII, and what is not base64
        raise Invalid({"cursor": [_UNKNOWN]}) from None
    if len(raw) != length + _DIGEST or urlsafe_b64encode(raw).decode().rstrip("=") != cursor:
        raise Invalid({"cursor": [_UNKNOWN]})
    if raw[length:] != _list(filters):
        raise Invalid({"cursor": [_FOREIGN]})
    return raw[:length]


def _list(filters: Filters) -> bytes:
    """Which list this is, in a few bytes: where it is, and what narrows it down and orders it.

    It keeps cursors from being taken for others by mistake.  There is no secret in it and it protects nothing: whoever
    makes a cursor up gets the rows of this list after some key, which they may see anyway.
    """
    if isinstance(filters, msgspec.Struct):
        filters = {name: getattr(filters, name) for name in filters.__struct_fields__ if name not in _PLACE}
    asked = this_request()
    # Not the path: one list may be asked for with a slash at its end, and an id or a number be written in several ways.
    place = [asked.endpoint, {name: str(value) for name, value in (asked.view_args or {}).items()}]
    said = msgspec.json.encode([*place, filters or {}], order="sorted")
    return blake2b(said, digest_size=_DIGEST).digest()
