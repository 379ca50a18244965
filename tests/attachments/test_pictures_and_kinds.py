"""What a file is comes from its bytes, and a picture on a page holds nothing but its pixels."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from obstore.store import MemoryStore
from PIL import Image

from app.attachments.kinds import in_words, kind_of
from app.attachments.pictures import Gallery
from app.attachments.store import Store, blob_name
from app.errors import NotFound
from app.workshop.service import Pictures
from tests import makers
from tests.cast import Cast

HIDDEN = b"where it was taken"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def picture(kind: str, **options: object) -> bytes:
    """A picture of 80 by 60, with a word hidden beside its pixels."""
    image, out = Image.new("RGB", (80, 60), (10, 200, 30)), io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = HIDDEN.decode()
    image.save(out, kind, exif=exif, **options)
    return out.getvalue()


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in names:
            packed.writestr(name, "application/epub+zip" if name == "mimetype" else "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (makers.PIXEL, "image/png"),
        (HTML, "text/plain"),
        (SVG, "text/plain"),
        ("Schöne Grüße".encode(), "text/plain"),
        ("é".encode() * 2048 + b"", "text/plain"),
        (b"a" + "é".encode() * 4000, "text/plain"),
        ("Grüße".encode("latin-1"), "application/octet-stream"),
        (b"text\0text", "application/octet-stream"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (zipped("mimetype", "OPS/a.xhtml"), "application/epub+zip"),
        (
            zipped("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (zipped("a.exe"), "application/zip"),
        (b"", "application/octet-stream"),
    ],
)
def test_kinds(content: bytes, kind: str) -> None:
    assert kind_of(content[:4096]) == kind


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("image/png", "Picture (PNG)"),
        ("application/vnd.oasis.opendocument.text", "Office document"),
        ("audio/mpeg", "Sound"),
        ("application/octet-stream", "File"),
    ],
)
def test_kinds_in_words(kind: str, words: str) -> None:
    assert in_words(kind) == words


async def shown(cast: Cast, content: bytes, name: str) -> tuple[dict[str, object], str]:
    document_id = (await makers.document(cast.alice))["id"]
    path = f"/api/v1/documents/{document_id}/attachments?name={quote(name)}"
    made = await cast.alice.program.raw("POST", path, content, Content_Type="image/png")
    assert made.status_code == 201, made.text
    return made.json(), made.json()["page_url"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_is_made_anew(cast: Cast, kind: str) -> None:
    content = picture(kind) if kind != "GIF" else picture(kind, comment=HIDDEN)
    assert HIDDEN in content
    view, page = await shown(cast, content + b"<script>tail</script>", "a.html")
    assert view["media_type"] == f"image/{kind.lower()}"
    for _ in range(2):
        answer = await cast.alice.browser.get(f"{page}/image")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] in ("image/png", "image/jpeg")
        assert answer.headers["content-disposition"].startswith('inline; filename="a.')
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert HIDDEN not in answer.content
        assert b"script" not in answer.content
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (80, 60)
            assert not image.getexif()
    assert (await cast.alice.browser.get(page)).content.startswith(content)


async def test_sideways_pictures_stand_upright_and_large_ones_shrink(cast: Cast) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4000, 1000)).save(out, "JPEG", exif=exif)
    _, page = await shown(cast, out.getvalue(), "wide.jpg")
    answer = await cast.alice.browser.get(f"{page}/image")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.height == 4 * image.width
        assert image.height <= 2400


@pytest.mark.parametrize(
    ("name", "content"),
    [("page.png", HTML), ("picture.jpg", SVG), ("lie.gif", b"%PDF-1.7 no picture"), ("noise.webp", os.urandom(5000))],
)
async def test_a_file_that_lies_is_a_download(cast: Cast, name: str, content: bytes) -> None:
    view, page = await shown(cast, content, name)
    assert view["image_url"] is None
    answer = await cast.alice.browser.get(page)
    assert answer.content == content
    assert answer.headers["content-type"] in ("application/octet-stream", "application/pdf")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (await cast.alice.browser.get(f"{page}/image")).status_code == 404


def bomb(side: int) -> bytes:
    """A PNG of `side` by `side` black pixels, in a few kilobytes."""
    row = b"\0" * (side + 1)
    pack = zlib.compressobj(9)
    data = b"".join(pack.compress(row) for _ in range(side)) + pack.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def test_bombs_and_torn_pictures_are_downloads_only(cast: Cast) -> None:
    for content in (bomb(20_000), makers.PIXEL[:40], picture("JPEG")[:-200]):
        _, page = await shown(cast, content, "bomb.png")
        answer = await cast.alice.browser.get(f"{page}/image")
        assert answer.status_code == 404
        assert (await cast.alice.browser.get(page)).content == content


def test_nothing_of_a_picture_stays_in_the_temporary_folder() -> None:
    assert not list(Path("/tmp").glob("bench-*"))  # noqa: S108 - where the workshop would leave it


class Opened(Store):
    """A store in memory that notes what is opened in it."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.names: list[str] = []

    async def read(self, name: str) -> AsyncIterator[bytes] | None:
        self.names.append(name)
        return await super().read(name)


class Copyist:
    """A workshop whose pictures are what they were made from; `done` is how many it made."""

    done = 0

    def bench(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def work(self, _: str, task: AsyncIterator[bytes], *, most: int) -> AsyncIterator[bytes]:
        self.done += 1
        async for piece in task:
            assert len(piece) <= most
            yield piece


async def test_a_picture_is_made_once_and_opened_only_to_be_read() -> None:
    store, copyist = Opened(), Copyist()
    gallery = Gallery(store, cast(Pictures, copyist))
    digest = sha256(makers.PIXEL).hexdigest()
    with pytest.raises(NotFound):
        await gallery.ready(digest)
    async with store.arriving(pieces(makers.PIXEL)) as arrival:
        await store.keep(arrival, blob_name(arrival.digest))
    store.names.clear()
    sizes = await asyncio.gather(*(gallery.ready(digest) for _ in range(3)))
    assert (sizes, copyist.done) == ([len(makers.PIXEL)] * 3, 1)
    assert store.names == [blob_name(bytes.fromhex(digest))]
    kind, shown = await gallery.picture(digest)
    assert (kind, b"".join([piece async for piece in shown])) == ("image/png", makers.PIXEL)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
