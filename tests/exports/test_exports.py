"""PDF and Markdown files: what is in them, who gets them, and what happens when much is asked for."""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from obstore.store import MemoryStore
from pypdf import PdfReader

from app.attachments.store import Store
from app.errors import NotFound, Unavailable
from app.exports.service import Printer, _task
from app.web.budgets import Budgets
from app.web.lanes import Busy
from app.web.shared_script import StoreLost
from app.workshop.service import MIB, Press, Unworkable
from app.workshop.sheets import Plate, Sheet, opened_by
from tests import makers
from tests.cast import Cast, Person
from tests.site import Site, running

# Every way of leaving data and becoming a program that the typesetter's own language has, and some it has not.
HOSTILE = """
# #import "@preview/cetz:0.3.0": * \\#evil

#read("/etc/passwd") `#read("/etc/hostname")` $ #sys.inputs $ <label> @label *b* _i_ \\u{202e} "quoted" ' \\ \\\\
#set page(width: 1pt); #include "/etc/passwd" ${x} {{ x }} {% x %} \\input{/etc/passwd} ]] )) }} /* // --- ``` \\` \u202e\u2066

| #eval("1+1") | b |
|---|---|
| #panic() | `|` |

[^n]: #image("/etc/passwd") [link](https://example.org/"+read("x")+")

note[^n] [a](javascript:alert(1)) [b](//evil.example) [c](file:///etc/passwd) ![d](/etc/passwd) <script>x</script>
"""


async def pdf(who: Person, document_id: str) -> PdfReader:
    answer = await who.program.get(f"/api/v1/documents/{document_id}/export.pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    return PdfReader(BytesIO(answer.content))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


async def test_a_text_on_paper(cast: Cast) -> None:
    body = (
        "## Soot\n\nBlack *and* fine.[^1]\n\n[^1]: From lamps.\n\n## Gum\n\n- one\n  1. two\n- [x] three\n\n"
        "> said\n\n```python\nprint(1)\n```\n\n## Ωμέγα\n\nعربي\n\nЖизнь\n\nहिन्दी\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n"
    )
    made = await makers.document(cast.alice, cast.bob, title="A history of ink", body=body)
    reader = await pdf(cast.bob, made["id"])
    text = words(reader)
    assert reader.metadata is not None
    assert reader.metadata.title == "A history of ink"
    assert "A history of ink" in reader.pages[0].extract_text()
    assert "Contents" in reader.pages[1].extract_text()
    for word in ("Version 1", "Soot", "Black and fine.", "From lamps.", "three", "said", "print(1)", "Ωμέγα", "Жизнь"):
        assert word in text, word
    assert [item.title for item in reader.outline if not isinstance(item, list)][-1] == "Ωμέγα"
    assert reader.pages[2].extract_text().strip().endswith("3")


async def test_no_text_becomes_a_program(cast: Cast) -> None:
    made = await makers.document(cast.alice, title='#read("/etc/passwd") "x" \\', body=HOSTILE)
    reader = await pdf(cast.alice, made["id"])
    text = words(reader)
    assert "root:" not in text
    for shown in (
        '#read("/etc/passwd")',
        '#include "/etc/passwd"',
        '#eval("1+1")',
        "#panic()",
        '#image("/etc/passwd")',
    ):
        assert shown in text, shown
    links = [
        str(note.get_object()["/A"]["/URI"])
        for page in reader.pages
        for note in page.get("/Annots", ())
        if "/URI" in note.get_object().get("/A", {})
    ]
    assert all(link.startswith("https://example.org/") for link in links), links


def _tree(part: bytes) -> ET.Element:
    return ET.fromstring(part)  # noqa: S314 - our own parts, and whether they are XML at all is the question


async def test_a_text_as_a_book(cast: Cast) -> None:
    """The parts EPUB 3.3 asks for, each of them XML; what is hostile in a text is words in it."""
    body = "## Soot & gum\n\nBlack *and* fine.[^1]\n\n[^1]: From lamps.\n\n- [x] done<br>\n\n![A lamp](/a/image)\n\n"
    made = await makers.document(cast.alice, cast.bob, title="Ink <&>", body=body + HOSTILE)
    path = f"/documents/{made['id']}/export.epub"
    answer = await cast.bob.program.get(f"/api/v1{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/epub+zip")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content == (await cast.alice.browser.get(path)).content
    assert answer.content[30:58] == b"mimetypeapplication/epub+zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as book:
        assert book.testzip() is None
        parts = {name: book.read(name) for name in book.namelist()}
    trees = {name: _tree(part) for name, part in parts.items() if name.endswith(("ml", "opf"))}
    opf, xhtml = "{http://www.idpf.org/2007/opf}", "{http://www.w3.org/1999/xhtml}"
    named = {f"EPUB/{item.attrib['href']}" for item in trees["EPUB/package.opf"].iter(f"{opf}item")}
    assert named == {name for name in parts if name.startswith("EPUB/")} - {"EPUB/package.opf"}
    package = parts["EPUB/package.opf"].decode()
    assert "<dc:title>Ink &lt;&amp;&gt;</dc:title>" in package
    assert "<dc:creator>Bob</dc:creator>" in package
    text = trees["EPUB/text.xhtml"]
    ids = [element.attrib["id"] for element in text.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    links = {link.attrib["href"] for link in trees["EPUB/nav.xhtml"].iter(f"{xhtml}a")}
    assert {link.partition("#")[2] for link in links} <= set(ids)
    assert "Soot & gum" in "".join(trees["EPUB/nav.xhtml"].itertext())
    inner = {link.attrib["href"][1:] for link in text.iter(f"{xhtml}a") if link.attrib.get("href", "").startswith("#")}
    assert inner <= set(ids)
    assert {element.tag for element in text.iter()}.isdisjoint(
        {f"{xhtml}{tag}" for tag in ("script", "img", "svg", "iframe")}
    )
    for words in ("Black and fine.", "From lamps.", "A lamp", '#include "/etc/passwd"'):
        assert words in "".join(text.itertext()), words
    assert (await cast.charlie.program.get(f"/api/v1{path}")).status_code == 404


async def test_markdown_is_as_it_was_written(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob, body=HOSTILE)
    saved = (await cast.bob.program.get(f"/api/v1/documents/{made['id']}")).json()["body"]
    for answer in (
        await cast.bob.program.get(f"/api/v1/documents/{made['id']}/export.md"),
        await cast.bob.browser.get(f"/documents/{made['id']}/export.md"),
    ):
        assert answer.text == saved
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert 'filename="A history of ink.md"' in answer.headers["content-disposition"]


async def test_an_entry_for_people_who_signed_in(site: Site, cast: Cast) -> None:
    entry = await makers.entry(cast.max, title="On copying")
    answer = await cast.bob.browser.get(f"/entry/{entry['id']}.pdf")
    assert answer.status_code == 200
    assert "On copying" in words(PdfReader(BytesIO(answer.content)))
    assert (await site.browser().get(f"/entry/{entry['id']}.pdf")).status_code == 303


async def test_the_budget_is_seen_and_exact(site: Site) -> None:
    async with running(site.stack, EXPORTS_SPONSOR="3") as small:
        alice = await makers.signed_in(small, "sponsor")
        ids = [(await makers.document(alice, title=f"Text {n}"))["id"] for n in range(6)]
        budget = (await alice.program.get("/api/v1/me/budgets")).json()["items"][0]
        assert (budget["limit"], budget["used"], budget["remaining"]) == (3, 0, 3)
        paths = [f"/api/v1/documents/{each}/export.pdf" for each in ids]
        answers = await asyncio.gather(*(alice.program.get(path) for path in paths))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 3
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "budget_spent"
        assert 0 < int(refused.headers["retry-after"]) <= 86400
        made = paths[[answer.status_code for answer in answers].index(200)]
        again = await alice.program.get(made)
        assert (again.status_code, again.headers["export-budget-remaining"]) == (200, "0")
        page = await alice.browser.get(f"/documents/{ids[0]}/export")
        assert "there will be more tomorrow" in page.text
        assert "Up to 40 pictures" in page.text


async def test_a_file_is_made_once(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob, title="Once")
    path = f"/api/v1/documents/{made['id']}/export.pdf"

    async def used() -> int:
        return sum(
            [(await who.program.get("/api/v1/me/budgets")).json()["items"][0]["used"] for who in (cast.alice, cast.bob)]
        )

    before = await used()
    answers = await asyncio.gather(*(who.program.get(path) for who in (cast.alice, cast.bob) * 4))
    assert len({answer.content for answer in answers}) == 1
    assert await used() == before + 1
    await cast.bob.program.patch(f"/api/v1/documents/{made['id']}", {"body": "Twice"}, If_Match="*")
    assert "Twice" in words(await pdf(cast.bob, made["id"]))


async def nothing_else() -> float:
    """How late the event loop is at worst, in seconds, while others work."""
    worst = 0.0
    for _ in range(200):
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        worst = max(worst, time.perf_counter() - began - 0.005)
    return worst


async def test_a_full_line_answers_busy_and_gives_the_budget_back(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    printer: Printer = site.app.extensions[Printer.__name__]
    monkeypatch.setattr(printer, "_press", Press(line=2, patience=60.0))
    alice = await makers.signed_in(site, "sponsor")
    ids = [(await makers.document(alice, title=f"Line {n}"))["id"] for n in range(8)]
    asked = [asyncio.create_task(alice.program.get(f"/api/v1/documents/{each}/export.pdf")) for each in ids]
    late = await nothing_else()
    answers = await asyncio.gather(*asked)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}, statuses
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "busy"
            assert int(answer.headers["retry-after"]) >= 1
    budget = (await alice.program.get("/api/v1/me/budgets")).json()["items"][0]
    assert budget["used"] == statuses.count(200)
    assert late < 0.5  # the loop of a machine full of other tests; alone it is a hundredth of that


async def given(task: bytes) -> AsyncIterator[bytes]:
    yield task


HEAVY = opened_by(Sheet("T", "*Ink* and **soot**, gum.\n\n" * 30_000, [], [], 0))


@pytest.mark.parametrize(("limits", "word"), [({"seconds": 1, "clock": 60.0}, "time"), ({"memory": 40 * MIB}, "")])
async def test_a_task_beyond_its_limits_ends(limits: dict[str, Any], word: str) -> None:
    press = Press(**limits)
    async with press.bench():
        with pytest.raises(Unworkable) as caught:
            async for _ in press.work("paper", given(HEAVY), most=8 * MIB):
                pass
    assert word in caught.value.word


async def test_a_busy_machine_is_not_the_fault_of_the_text() -> None:
    press = Press(clock=0.05)
    async with press.bench():
        with pytest.raises(Busy) as caught:
            async for _ in press.work("paper", given(HEAVY), most=8 * MIB):
                pass
    assert caught.value.retry_after >= 1


async def test_what_a_task_raises_comes_at_once() -> None:
    async def torn() -> AsyncIterator[bytes]:
        yield HEAVY[:1000]
        raise Unavailable

    press = Press()
    async with press.bench():
        with pytest.raises(Unavailable) as caught:
            async for _ in press.work("paper", torn(), most=MIB):
                pass
    assert not isinstance(caught.value, Busy)  # which waits for the end of the time


async def test_a_picture_that_went_away_is_no_short_file() -> None:
    sheet = Sheet("T", "x", [], [], 0, "", [Plate("/a", 5)])
    task = _task(Store(MemoryStore()), sheet, ["inline/aa/a"])
    assert await anext(task) == opened_by(sheet)
    with pytest.raises(NotFound):
        await anext(task)


async def test_whoever_waits_too_long_is_told() -> None:
    press = Press(patience=0.05)
    async with press.bench():
        with pytest.raises(Busy):
            async with press.bench():
                pass
    async with press.bench():
        assert press.waiting == 0


async def test_nothing_dear_without_counting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: Budgets = site.app.extensions[Budgets.__name__]

    async def away(*_: object) -> int:
        raise StoreLost

    monkeypatch.setattr(budgets._store, "run", away)
    alice = await makers.signed_in(site, "sponsor")
    made = await makers.document(alice, title="Uncounted")
    answer = await alice.program.get(f"/api/v1/documents/{made['id']}/export.pdf")
    assert (answer.status_code, answer.json()["code"]) == (503, "budgets_unavailable")
