"""A body that is held once: read whole, read in parts, thrown away, and refused past its bound, as Quart's own."""

from __future__ import annotations

import pytest
from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge

from app.web.uploads import OnceHeld

KINDS = (Body, OnceHeld)


@pytest.mark.parametrize("kind", KINDS)
async def test_whole(kind: type[Body]) -> None:
    body = kind(None, 100)
    for part in (b"soot", b"", b" and ", b"gum"):
        body.append(part)
    body.set_complete()
    assert await body == await body == b"soot and gum"
    body.clear()
    assert await body == b""


async def test_whoever_reads_it_twice_holds_it_once() -> None:
    body = OnceHeld(None, None)
    body.append(b"x" * 1000)
    body.append(b"y")
    body.set_complete()
    assert await body is await body


@pytest.mark.parametrize("kind", KINDS)
async def test_in_parts(kind: type[Body]) -> None:
    body = kind(None, None)
    body.append(b"soot")
    assert await anext(body) == b"soot"
    body.append(b"gum")
    body.append(b"!")
    body.set_complete()
    assert [part async for part in body] == [b"gum!"]


@pytest.mark.parametrize("kind", KINDS)
async def test_too_large(kind: type[Body]) -> None:
    body = kind(None, 5)
    body.append(b"soot")
    body.append(b"gum")
    with pytest.raises(RequestEntityTooLarge):
        await body
