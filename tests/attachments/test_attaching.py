"""Attaching, listing, fetching and removing files: what comes back is what went in, and a stranger meets nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, unquote

import httpx
import pytest

from app.attachments import service
from app.attachments.store import Store, blob_name
from tests import makers
from tests.cast import Cast, Person
from tests.site import Site, running

MIB = 1024 * 1024


async def upload(who: Person, document_id: str, content: bytes, name: str, **headers: str) -> httpx.Response:
    return await who.program.raw(
        "POST", f"/api/v1/documents/{document_id}/attachments?name={quote(name, safe='')}", content, **headers
    )


@pytest.fixture
async def document_id(cast: Cast) -> str:
    found: str = (await makers.document(cast.alice, cast.bob))["id"]
    return found


async def test_what_went_in_comes_out(site: Site, cast: Cast, document_id: str) -> None:
    content = os.urandom(300_000)
    made = await upload(cast.alice, document_id, content, "Ink & soot.bin")
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["name"], shown["size"], shown["media_type"]) == (
        "Ink & soot.bin",
        300_000,
        "application/octet-stream",
    )
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    for who in (cast.alice, cast.bob, cast.ada):
        fetched = await who.program.get(shown["url"])
        assert fetched.content == content
        in_browser = await who.browser.get(shown["page_url"])
        assert in_browser.content == content
        for answer in (fetched, in_browser):
            assert answer.headers["content-length"] == "300000"
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        listed = (await who.program.get(f"/api/v1/documents/{document_id}/attachments")).json()
        assert [item["id"] for item in listed["items"]] == [shown["id"]]
    again = await cast.bob.program.get(shown["url"], If_None_Match=f'"{shown["sha256"]}"')
    assert (again.status_code, again.content) == (304, b"")
    (event,) = await site.events(document_id, "document.attached")
    assert event.details["sha256"] == shown["sha256"]


async def test_strangers_meet_nothing(cast: Cast, document_id: str) -> None:
    attachment_id = await makers.attachment(cast.alice, document_id)
    other = (await makers.document(cast.charlie))["id"]
    ours, crossed = (f"/documents/{of}/attachments/{attachment_id}" for of in (document_id, other))
    for who in (cast.charlie, cast.edith, cast.max):
        for path in (f"/api/v1{ours}", f"/api/v1{ours}/content", f"/api/v1{crossed}"):
            assert (await who.program.get(path)).status_code == 404
        for path in (ours, f"{ours}/image", crossed, f"/documents/{document_id}/attachments"):
            assert (await who.browser.get(path)).status_code == 404
        assert (await who.program.delete(f"/api/v1{ours}")).status_code == 404
        assert (await upload(who, document_id, b"x", "x.txt")).status_code == 404


async def test_by_the_page_without_scripts(cast: Cast, document_id: str) -> None:
    browser, page = cast.bob.browser, f"/documents/{document_id}/attachments"
    token = await browser.token(page)
    said = {"Origin": browser.base_url, "Sec-Fetch-Site": "same-origin"}
    sent = await browser.http.post(
        page, data={"form_token": token}, files={"file": ("Tinte.txt", b"Ru\xc3\x9f", "text/html")}, headers=said
    )
    assert sent.status_code == 303, sent.text
    shown = await browser.follow(sent)
    assert "Tinte.txt" in shown.text
    found = re.search(r'href="(/documents/[^"]+)" download', shown.text)
    assert found
    fetched = await browser.get(found[1])
    assert (fetched.content, fetched.headers["content-type"]) == (b"Ru\xc3\x9f", "application/octet-stream")
    for wrong in ({"form_token": token[:-1]}, {}):
        refused = await browser.http.post(page, data=wrong, files={"file": ("a.txt", b"a")}, headers=said)
        assert refused.status_code == 403
    foreign = await browser.http.post(
        page, data={"form_token": token}, files={"file": ("a", b"a")}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    nothing = await browser.http.post(page, data={"form_token": token}, files={"file": ("", b"")}, headers=said)
    assert nothing.status_code == 422
    large = await browser.http.post(
        page, data={"form_token": token}, files={"file": ("a", bytes(25 * MIB + 1))}, headers=said
    )
    assert large.status_code == 413
    assert "At most" in large.text or "at most" in large.text
    removed = await browser.post(f"{found[1]}/remove", page=page)
    assert removed.status_code == 303
    assert "Tinte.txt" not in (await browser.get(page)).text


async def test_beside_the_text_by_its_script(site: Site, cast: Cast, document_id: str) -> None:
    """The writing page learns what to put into its text, or why it may not, and never leaves the page."""
    page = f"/documents/{document_id}/attachments"

    async def send(who: Person, name: str, content: bytes, **fields: str) -> httpx.Response:
        browser = who.browser
        form = {"form_token": await browser.token()} | fields
        said = {"Origin": browser.base_url, "Sec-Fetch-Site": "same-origin"}
        return await browser.http.post(f"{page}/new", data=form, files={"file": (name, content)}, headers=said)

    made = await send(cast.bob, "Ink [1] *black*.png", makers.PIXEL)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["name"], shown["picture"]) == ("Ink [1] *black*.png", True)
    assert shown["markdown"] == rf"![Ink \[1\] \*black\*]({shown['page_url']}/image)"
    saved = await cast.bob.program.patch(f"/api/v1/documents/{document_id}", {"body": shown["markdown"]}, If_Match="*")
    assert saved.status_code == 200
    text = (await cast.alice.browser.get(f"/sponsor/documents/{document_id}")).text
    assert f'src="{shown["page_url"]}/image" alt="Ink [1] *black*"' in text
    lying = (await send(cast.alice, "page.png", b"<script>alert(1)</script>")).json()
    assert (lying["picture"], lying["markdown"]) == (False, f"[page.png]({lying['page_url']})")
    for who in (cast.charlie, cast.edith):
        assert (await send(who, "a.png", makers.PIXEL)).status_code == 404
    for wrong, status, words in (
        (b"", 422, "This file is empty."),
        (b"MZ\x90\x00\x03" + bytes(50), 415, "zip"),
        (bytes(25 * MIB + 1), 413, "at most 25 MB"),
    ):
        refused = await send(cast.bob, "a.png", wrong)
        assert refused.status_code == status
        assert words in refused.json()["detail"]
    assert (await send(cast.bob, "a.png", makers.PIXEL, form_token="x")).status_code == 403


async def chunks(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 64 * 1024):
        yield bytes(min(64 * 1024, size - start))


@pytest.mark.parametrize("chunked", [False, True])
async def test_exactly_25_mb_and_one_more(cast: Cast, document_id: str, *, chunked: bool) -> None:
    path = f"/api/v1/documents/{document_id}/attachments"
    headers = {"Authorization": f"Bearer {cast.alice.program.token}", "Content-Type": "application/octet-stream"}

    async def send(size: int) -> httpx.Response:
        content = chunks(size) if chunked else bytes(size)
        return await cast.alice.program.http.post(path, content=content, headers=headers)

    assert (await send(25 * MIB)).status_code == 201
    refused = await send(25 * MIB + 1)
    assert refused.status_code == 413
    assert refused.json()["code"] == "too_large"


async def test_an_empty_file_and_a_program_are_refused(cast: Cast, document_id: str) -> None:
    assert (await upload(cast.alice, document_id, b"", "a.txt")).status_code == 422
    for start in (b"MZ\x90\x00\x03", b"\x7fELF\x02"):
        refused = await upload(cast.alice, document_id, start + bytes(100), "holiday.png")
        assert refused.status_code == 415


async def test_the_sum_of_a_document_is_bounded_exactly(site: Site, cast: Cast) -> None:
    async with running(site.stack, ATTACHMENTS_PER_DOCUMENT=str(5 * 1000)) as small:
        alice = await makers.signed_in(small, "sponsor")
        document_id = (await makers.document(alice))["id"]
        answers = await asyncio.gather(*(upload(alice, document_id, os.urandom(1000), f"{n}") for n in range(9)))
        assert sorted(answer.status_code for answer in answers) == [201] * 5 + [413] * 4
        assert {answer.json()["code"] for answer in answers if answer.status_code == 413} == {"document_full"}


async def test_identical_files_at_once_are_kept_once(site: Site, cast: Cast, document_id: str) -> None:
    content = os.urandom(100_000)
    answers = await asyncio.gather(*(upload(cast.bob, document_id, content, f"{n}.bin") for n in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    for answer in answers:
        assert (await cast.bob.program.get(answer.json()["url"])).content == content
    (row,) = await site.rows(
        "SELECT count(*) FROM attachment_blobs WHERE encode(sha256, 'hex') = :digest",
        digest=hashlib.sha256(content).hexdigest(),
    )
    assert row[0] == 1
    incoming = site.settings.state / "attachments" / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


async def swept(site: Site) -> None:
    store: Store = site.app.extensions[Store.__name__]
    async with site.resources.database.transaction() as db:
        await service.sweep(db, store, settled=timedelta(0))


async def test_removed_bytes_go_unless_a_text_speaks_of_them(site: Site, cast: Cast, document_id: str) -> None:
    store: Store = site.app.extensions[Store.__name__]
    kept, gone = os.urandom(1000), os.urandom(1000)
    kept_id = await makers.attachment(cast.alice, document_id, kept, "kept.bin")
    gone_id = await makers.attachment(cast.alice, document_id, gone, "gone.bin")
    body = f"[old](/documents/{document_id}/attachments/{kept_id})"
    for text in (body, "nothing"):
        saved = await cast.alice.program.patch(f"/api/v1/documents/{document_id}", {"body": text}, If_Match="*")
        assert saved.status_code == 200
    for each in (kept_id, gone_id):
        path = f"/api/v1/documents/{document_id}/attachments/{each}"
        assert (await cast.alice.program.delete(path)).status_code == 204
        assert (await cast.alice.program.delete(path)).status_code == 204
    await swept(site)
    assert (await cast.bob.browser.get(f"/documents/{document_id}/attachments/{kept_id}")).content == kept
    assert (await cast.bob.browser.get(f"/documents/{document_id}/attachments/{gone_id}")).status_code == 404
    assert await store.read(blob_name(hashlib.sha256(gone).digest())) is None


async def test_a_published_picture_is_everybodys_and_withdrawn_with_its_entry(site: Site, cast: Cast) -> None:
    document_id = (await makers.document(cast.alice, cast.bob))["id"]
    attachment_id = await makers.attachment(cast.bob, document_id)
    hidden_id = await makers.attachment(cast.bob, document_id, b"a secret", "secret.txt")
    page = f"/documents/{document_id}/attachments"
    body = f"![Ink]({page}/{attachment_id}/image)"
    await cast.bob.program.patch(f"/api/v1/documents/{document_id}", {"body": body}, If_Match="*")
    visitor = site.browser()
    assert (await visitor.get(f"{page}/{attachment_id}/image")).status_code == 303
    for who, step in ((cast.bob, "hand-in"), (cast.alice, "accept"), (cast.alice, "publish")):
        await makers.take(who, document_id, step)
    shown = await visitor.get(f"{page}/{attachment_id}/image")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert (await visitor.get(f"{page}/{hidden_id}")).status_code == 303
    await makers.take(cast.alice, document_id, "unpublish")
    assert (await visitor.get(f"{page}/{attachment_id}/image")).status_code == 303


async def test_names_are_texts(cast: Cast, document_id: str) -> None:
    names = {
        "../../etc/passwd": "passwd",
        "..\\..\\windows\\win.ini": "win.ini",
        "CON": "_CON",
        "nul.txt": "_nul.txt",
        "..": "file",
        "": "file",
        "a\u202egnp.exe": "agnp.exe",
        "\u200b\ufeff": "file",
        'say "hi"; filename=evil.html': 'say "hi"; filename=evil.html',
        "Füße und Ärger.pdf": "Füße und Ärger.pdf",
        "%0d%0aSet-Cookie: a=b": "%0d%0aSet-Cookie: a=b",
    }
    for given, wanted in names.items():
        made = await upload(cast.alice, document_id, os.urandom(20), given)
        assert made.status_code == 201, made.text
        assert made.json()["name"] == wanted
        fetched = await cast.alice.browser.get(made.json()["page_url"])
        header = fetched.headers["content-disposition"]
        plain, _, coded = header.partition("; filename*=UTF-8''")
        assert unquote(coded) == wanted
        assert re.fullmatch(r'attachment; filename="[ -!#-~]+"', plain)
        assert "set-cookie" not in {name for name in fetched.headers if fetched.headers[name] == "a=b"}
    long = await upload(cast.alice, document_id, b"abc", "\N{PILE OF POO}" * 300 + ".png")
    assert long.json()["name"] == "\N{PILE OF POO}" * 146 + ".png"
    for control in ("a%00b", "a%0d%0ab", "a%7fb"):
        path = f"/api/v1/documents/{document_id}/attachments?name={control}"
        assert (await cast.alice.program.raw("POST", path, b"x")).status_code == 400
