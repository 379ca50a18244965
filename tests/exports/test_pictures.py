"""Pictures in PDF and EPUB files: those of the text itself, made anew, within bounds; all others in words that say why."""

from __future__ import annotations

import io
import resource
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from pypdf import PdfReader

from app.attachments.illustrations import Illustration
from app.attachments.pictures import Gallery
from app.errors import NotFound
from app.exports import easel
from app.exports.easel import Easel
from app.workshop import plates
from app.workshop.blocks import blocks_of
from app.workshop.service import MIB, Press, Unworkable
from app.workshop.sheets import LEFT_OUT, MOST_PICTURES, PICTURE_BYTES, Plate, Sheet, opened_by
from tests import makers
from tests.attachments.test_pictures_and_kinds import HIDDEN, bomb, picture
from tests.cast import Cast, Person
from tests.site import Site

ADDRESS = "/documents/00000000-0000-7000-8000-000000000000/attachments/00000000-0000-7000-8000-{:012d}/image"


async def attached(who: Person, document_id: str, content: bytes) -> str:
    """The address of the picture made from a file attached to the document."""
    path = f"/api/v1/documents/{document_id}/attachments?name=lamp.png"
    made = await who.program.raw("POST", path, content, Content_Type="image/png")
    assert made.status_code == 201, made.text
    return f"{made.json()['page_url']}/image"


async def file(who: Person, document_id: str, ending: str) -> bytes:
    answer = await who.program.get(f"/api/v1/documents/{document_id}/export.{ending}")
    assert answer.status_code == 200, answer.text
    return answer.content


def on_paper(content: bytes) -> tuple[list[tuple[int, int]], str]:
    """The sizes of the pictures in a PDF file, and its words."""
    reader = PdfReader(BytesIO(content))
    sizes = [image.image.size for page in reader.pages for image in page.images if image.image]
    return sizes, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def in_book(content: bytes) -> tuple[dict[str, bytes], ET.Element, str]:
    """The pictures in an EPUB file by the names its manifest gives them, the chapter, and the chapter's words."""
    opf, xhtml = "{http://www.idpf.org/2007/opf}", "{http://www.w3.org/1999/xhtml}"
    with zipfile.ZipFile(BytesIO(content)) as book:
        package = ET.fromstring(book.read("EPUB/package.opf"))  # noqa: S314 - our own
        chapter = ET.fromstring(book.read("EPUB/text.xhtml"))  # noqa: S314 - our own
        kinds = {item.attrib["href"]: item.attrib["media-type"] for item in package.iter(f"{opf}item")}
        pictures = {name: book.read(f"EPUB/{name}") for name, kind in kinds.items() if kind.startswith("image/")}
        assert {name for name in book.namelist() if "/pictures/" in name} == {f"EPUB/{name}" for name in pictures}
    shown = {image.attrib["src"] for image in chapter.iter(f"{xhtml}img")}
    assert shown == set(pictures)
    for name, data in pictures.items():
        with Image.open(BytesIO(data)) as image:
            assert Image.MIME[image.format or ""] == kinds[name]
    return pictures, chapter, " ".join("".join(chapter.itertext()).split())


async def with_pictures(cast: Cast, body: str, *contents: bytes) -> dict[str, Any]:
    """A document whose text shows these files where it says {0}, {1} ..."""
    made = await makers.document(cast.alice, cast.bob, title="With pictures", body="Soon.")
    addresses = [await attached(cast.alice, made["id"], content) for content in contents]
    path = f"/api/v1/documents/{made['id']}"
    saved = await cast.bob.program.patch(path, {"body": body.format(*addresses)}, If_Match="*")
    assert saved.status_code == 200, saved.text
    return {**made, "addresses": addresses}


async def test_the_pictures_of_a_text_are_in_its_files(cast: Cast) -> None:
    body = 'A lamp: ![A lamp]({0} "Found in a drawer") and\n\n- ![]({0})\n\n|a|\n|-|\n|![Small]({1})|\n\n![Away](https://example.org/a.png)'
    made = await with_pictures(cast, body, picture("JPEG"), picture("PNG"))
    pdf, epub = await file(cast.bob, made["id"], "pdf"), await file(cast.bob, made["id"], "epub")
    sizes, words = on_paper(pdf)
    assert sizes == [(80, 60)] * 2  # the one that is shown twice is there once
    assert "Found in a drawer" in words
    assert "[Image: Away]" in words
    assert sorted(alternatives(PdfReader(BytesIO(pdf)))) == ["A lamp", "Small"]
    pictures, chapter, told = in_book(epub)
    assert len(pictures) == 2
    assert {image.attrib["alt"] for image in chapter.iter("{http://www.w3.org/1999/xhtml}img")} == {
        "A lamp",
        "",
        "Small",
    }
    assert "[Image: Away]" in told
    for content in (pdf, *pictures.values()):
        assert HIDDEN not in content


def alternatives(reader: PdfReader) -> list[str]:
    """What a PDF file says in the place of its pictures, to those who hear it."""
    found: list[str] = []
    waiting = [reader.root_object["/StructTreeRoot"]]
    while waiting:
        item = waiting.pop().get_object()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            found += [str(item["/Alt"])] if "/Alt" in item else []
            waiting += [item["/K"]] if "/K" in item and not isinstance(item["/K"], int) else []
    return found


async def test_nobody_elses_picture_and_none_that_is_not_there(cast: Cast) -> None:
    """A text may name any address; what it gets are pictures of its own document, whoever asks for the file."""
    other = await makers.document(cast.alice, title="Somebody else's")
    address = await attached(cast.alice, other["id"], picture("PNG"))
    gone = address[:-18] + "0" * 12 + "/image"
    body = f"![Foreign]({address}) ![Gone]({gone}) ![File](/etc/passwd) ![Up](../../etc/passwd)"
    made = await makers.document(cast.alice, cast.bob, body=body)
    crossed = address.replace(other["id"], made["id"])
    await cast.bob.program.patch(f"/api/v1/documents/{made['id']}", {"body": f"{body} ![X]({crossed})"}, If_Match="*")
    for who in (cast.alice, cast.bob):  # the first of them may see both documents
        sizes, words = on_paper(await file(who, made["id"], "pdf"))
        pictures, _, told = in_book(await file(who, made["id"], "epub"))
        assert (sizes, pictures) == ([], {})
        for alt in ("Foreign", "Gone", "File", "Up", "X"):
            assert f"[Image: {alt} (left out: it is not among the files of this text)]" in told
            assert f"[Image: {alt} (left out" in words
    refused = await cast.charlie.program.get(f"/api/v1/documents/{other['id']}/export.pdf")
    assert refused.status_code == 404


async def test_bombs_and_torn_pictures_are_left_out(cast: Cast) -> None:
    made = await with_pictures(
        cast, "![Bomb]({0})\n\n![Torn]({1})\n\n![Whole]({2})", bomb(7_000), makers.PIXEL[:40], picture("PNG")
    )
    sizes, words = on_paper(await file(cast.bob, made["id"], "pdf"))
    pictures, _, told = in_book(await file(cast.bob, made["id"], "epub"))
    assert (sizes, len(pictures)) == ([(80, 60)], 1)
    for alt in ("Bomb", "Torn"):
        assert f"[Image: {alt} (left out: it cannot be shown)]" in words
        assert f"[Image: {alt} (left out: it cannot be shown)]" in told


async def test_an_entry_shows_the_pictures_of_its_document(cast: Cast) -> None:
    made = await with_pictures(cast, "![A lamp]({0})", picture("PNG"))
    path = f"/api/v1/documents/{made['id']}"
    for who, step in ((cast.bob, "hand-in"), (cast.alice, "accept"), (cast.alice, "publish")):
        done = await who.program.post(f"{path}/{step}", {})
        assert done.status_code == 200, done.text
    entry = done.json()["entry_id"]
    answer = await cast.charlie.program.get(f"/api/v1/entries/{entry}/export.pdf")
    assert on_paper(answer.content)[0] == [(80, 60)]
    foreign = await makers.entry(cast.max, body=f"![A lamp]({made['addresses'][0]})")
    answer = await cast.charlie.program.get(f"/api/v1/entries/{foreign['id']}/export.pdf")
    assert on_paper(answer.content)[0] == []


class Shelf:
    """A gallery in which each picture takes as many bytes as its hash says, or cannot be had for the reason it says."""

    async def ready(self, digest: str) -> int:
        if digest.isdecimal():
            return int(digest)
        if digest == "away":
            raise NotFound
        raise Unworkable(digest)


async def hung(*digests: str) -> list[str]:
    shelf = cast(Gallery, Shelf())  # an easel asks nothing else of it
    found = await Easel(shelf).hang([Illustration(ADDRESS.format(n), digest) for n, digest in enumerate(digests)])
    assert len(found.places) == sum(plate.size > 0 for plate in found.plates)
    return [plate.why for plate in found.plates]


async def test_what_does_not_fit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await hung(*["10"] * (MOST_PICTURES + 2)) == [""] * MOST_PICTURES + ["many"] * 2
    half = str(PICTURE_BYTES // 2)
    assert await hung(half, "1", half, "1") == ["", "", "large", ""]
    assert await hung("pixels", "time", "1", "damaged") == ["damaged", "late", "", "damaged"]
    assert await hung("away", "1") == ["late", ""]  # it is attached: a file without it must not stay for others
    monkeypatch.setattr(easel, "PATIENCE", -1.0)
    assert await hung("1") == ["late"]


async def test_a_file_made_in_haste_is_not_kept(site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await with_pictures(cast, "![A lamp]({0})", picture("JPEG"))
    monkeypatch.setattr(easel, "PATIENCE", -1.0)
    sizes, words = on_paper(await file(cast.bob, made["id"], "pdf"))
    assert sizes == []
    assert "(left out: it could not be made ready in time)" in words
    monkeypatch.undo()
    assert on_paper(await file(cast.bob, made["id"], "pdf"))[0] == [(80, 60)]


async def pressed(kind: Any, pictures: list[bytes], body: str) -> bytes:
    """What the press makes of these pictures, in the time and memory it always has."""
    sheet = [Plate(ADDRESS.format(n), len(data)) for n, data in enumerate(pictures)]

    async def task() -> AsyncIterator[bytes]:
        yield opened_by(Sheet("T", body, [], [], 0, "", sheet))
        for data in pictures:
            yield data

    press, made = Press(clock=60), b""  # others may be at work too
    async with press.bench():
        async for piece in press.work(kind, task(), most=48 * MIB):
            made += piece
    return made


def at_benches() -> float:
    """Processor time of all that ran at benches so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_forty_of_the_largest_pictures_stay_within_time_and_memory() -> None:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 90).resize((2400, 1600)).convert("RGB").save(out, "JPEG", quality=40)
    assert len(out.getvalue()) * MOST_PICTURES < PICTURE_BYTES
    body = "\n\n".join(f"![p]({ADDRESS.format(n)})" for n in range(MOST_PICTURES))
    before = at_benches()
    made = await pressed("paper", [out.getvalue()] * MOST_PICTURES, body)
    assert 0.1 < at_benches() - before < 8.0  # of the 10 seconds it has
    sizes, words = on_paper(made)
    room = plates.EFFORT // (2400 * 1600)
    assert set(sizes) == {(1600, 1067)}
    assert alternatives(PdfReader(BytesIO(made))) == ["p"] * room
    assert words.count("the pictures together are too large") == MOST_PICTURES - room


async def test_a_struck_picture_is_as_large_as_any_other() -> None:
    table, note = ADDRESS.format(0), ADDRESS.format(1)
    body = f"|a|\n|-|\n|~~![T]({table})~~ ~~gone~~|\n\nnote[^n]\n\n[^n]: ~~![N]({note})~~\n\n~~![A]({table})~~"
    made = await pressed("paper", [picture("JPEG"), picture("PNG")], body)
    assert sorted(alternatives(PdfReader(BytesIO(made)))) == ["A", "N", "T"]


async def test_a_task_that_was_cut_off_makes_nothing() -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield opened_by(Sheet("T", "x", [], [], 0, "", [Plate(ADDRESS.format(1), 1000)]))

    press = Press()
    async with press.bench():
        with pytest.raises(Unworkable):
            async for _ in press.work("paper", torn(), most=MIB):
                pass


def test_a_picture_among_words_stands_by_itself() -> None:
    plate = {ADDRESS.format(1): {"pic": "1.png", "alone": 40.0, "among": 40.0}}
    here = ADDRESS.format(1)
    found = list(blocks_of(f"before ![a]({here}) after\n\n# ![b]({here})\n\n![c]({here}x)", plate))
    assert [block["k"] for block in found] == ["par", "picture", "par", "heading", "par"]
    words = ["".join(run["t"] for run in block.get("runs", ())) for block in found]
    assert words == ["before ", "", "after", "[Image: b]", f"[Image: c (left out: {LEFT_OUT['missing']})]"]
