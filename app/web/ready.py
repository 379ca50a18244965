"""Headers that need no looking at: names and values this application wrote itself, put together without Werkzeug's checks.

Werkzeug looks through every value for line breaks, which is right for values that come from elsewhere: those must not
go this way.
"""

from __future__ import annotations

from typing import Any

from quart import Response
from werkzeug.datastructures import Headers

Pair = tuple[str, str]


def ready(pairs: list[Pair]) -> Headers:
    """These headers, in this order; the list is taken over."""
    headers = Headers()
    headers._list = pairs  # noqa: SLF001 - adding them one by one costs as much as all the rest of an answer
    return headers


class RequestHeaders(Headers):
    """The headers of a request, as the server's parser has checked them; to look for one that is missing costs no error."""

    def __init__(self, pairs: list[Pair]) -> None:
        """`pairs` have their names as `str.title` writes them, which Quart does as well."""
        self._list = pairs  # not by the constructor above, which would go through them one by one

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]  # noqa: A002 - Werkzeug's name; all its overloads in one
        """The first header of that name, or `default`."""
        if type is not None:
            return super().get(key, default, type)
        wanted = key.title()
        for name, value in self._list:
            if name == wanted:
                return value
        return default

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None


def put(headers: Headers, *pairs: Pair) -> None:
    """Add headers that are not there yet."""
    headers._list.extend(pairs)  # noqa: SLF001 - as above


def vary(response: Response, name: str) -> None:
    """Say that the answer depends on this request header (RFC 9110 12.5.5)."""
    for known, _ in response.headers._list:  # noqa: SLF001 - as above
        if known == "Vary" or known.lower() == "vary":
            response.vary.add(name)
            return
    put(response.headers, ("Vary", name))
