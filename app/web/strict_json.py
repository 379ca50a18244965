"""Reads JSON (RFC 8259) in one strict way everywhere: one parser, one verdict, and never a long stop of the loop.

Decoding is left to orjson, which refuses NaN, a byte order mark, invalid UTF-8 and lone surrogates.  What it
accepts and we do not (duplicate names, deep nesting, floods of tiny values, absurd numbers, NUL) is found by
looking at the text *outside* its strings, which a few C-speed passes over the bytes lay bare.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

MAX_DEPTH = 32
MAX_STRINGS = 10_000
MAX_TOKENS = 20_000
MAX_OUTSIDE = 256 * 1024

_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{40}")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")


class MalformedJSON(ValueError):
    """The text is not JSON as we accept it; the message says why in plain words."""


class OversizedJSON(MalformedJSON):
    """It is deeper or holds more than any request needs: a bomb, or somebody's mistake."""


def loads(data: bytes) -> Any:
    """Decode `data`; raises MalformedJSON.  3 MiB of the worst shape take some 20 ms."""
    if not data.strip(b" \t\r\n"):
        raise MalformedJSON("The body is empty where JSON was expected.")
    outside = _outside_of_strings(data)
    _check_size(outside)
    _check_depth(outside)
    if _LONG_NUMBER.search(outside):
        raise OversizedJSON("A number is longer than any this site uses.")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedJSON("The body is not well-formed JSON.") from error
    if _check_values(value) != outside.count(b":"):
        raise MalformedJSON("A name appears twice in one object.")
    return value


def _outside_of_strings(data: bytes) -> bytes:
    """Return what stands between the strings: brackets, commas, colons, numbers, literals and space."""
    if b"\\" in data:
        # Same-length stand-ins keep escapes from hiding or faking the end of a string.
        data = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    parts = data.split(b'"', 2 * MAX_STRINGS + 1)
    if len(parts) > 2 * MAX_STRINGS + 1:
        raise OversizedJSON("The body holds more values than any request here needs.")
    return b"".join(parts[::2])


def _check_size(outside: bytes) -> None:
    if len(outside) > MAX_OUTSIDE or sum(map(outside.count, (b",", b":", b"[", b"{"))) > MAX_TOKENS:
        raise OversizedJSON("The body holds more values than any request here needs.")


def _check_depth(outside: bytes) -> None:
    depth = 0
    for bracket in outside.translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > MAX_DEPTH:
            raise OversizedJSON(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_values(value: Any) -> int:
    """Return how many names all objects hold together; raises for NUL in text and numbers beyond a double."""
    names = 0
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            if "\x00" in current:
                raise MalformedJSON("Text must not contain the NUL character.")
        elif isinstance(current, dict):
            names += len(current)
            pending.extend(current.keys())
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
        elif isinstance(current, float) and not math.isfinite(current):
            raise MalformedJSON("A number is larger than any this site uses.")
    return names
