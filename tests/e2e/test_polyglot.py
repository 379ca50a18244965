"""Hostile texts in every field, looked at by everybody in a real browser: nothing runs, nothing is reported, nothing breaks.

What went wrong on a page (a policy that had to step in, an error, a lost request) fails each test by itself: `Visitor.check`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Dialog, Error

from tests.documents.test_polyglot import CORPUS
from tests.e2e.browser import Visitor, Visitors
from tests.e2e.people import Cast, Person, Programs
from tests.e2e.test_writing import commission

SHORT = "\n\n".join(text for text in CORPUS.values() if len(text) < 1_000)
LONG = [name for name, text in CORPUS.items() if len(text) >= 1_000]
NAME = 'Eve "><img src=x onerror=alert(1)>'
TITLE = '"><svg onload=alert(1)><script>alert(1)</script> {{ 7*7 }} اقرأ'
FILES = (
    ("../../etc/passwd", b"<script>alert(1)</script>"),
    ("CON", b"%PDF-1.7 <script>alert(1)</script>"),
    ("\U0001f58b" * 300, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    ("invoice\u202egnp.exe.png", b"<!doctype html><script>alert(1)</script>"),
    ('"><img src=x onerror=alert(1)>.png', b"GIF89a<script>alert(1)</script>"),
)
SLOWEST = 4.0  # seconds to the first byte, on a machine that runs other tests beside; rendering is bounded to one


class Watched:
    """A visitor of whose pages none may have run anything of what it shows."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.dialogs: list[str] = []
        visitor.page.on("dialog", self._on_dialog)

    async def _on_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(f"{self.visitor.page.url}: {dialog.message}")
        await dialog.dismiss()

    async def look(self, *paths: str) -> None:
        for path in paths:
            answer = await self.visitor.page.goto(self.visitor.url + path)
            assert answer is not None
            assert answer.status == 200, path
            assert answer.request.timing["responseStart"] < SLOWEST * 1000, path
            assert await self.visitor.page.locator("h1").count() == 1, path
        assert self.dialogs == []


async def sign(programs: Programs, cast: Cast, role: str) -> Person:
    """Somebody whose very name is hostile."""
    person = Person(role, NAME)
    person_id = await programs.register(person)
    if role != "member":
        approve = f"/api/v1/admin/people/{person_id}/approve"
        await programs.ask("POST", approve, await programs.token(cast.admin), json={"reason": SHORT[:500]})
    return person


async def written(programs: Programs, sponsor: Person, editor_id: str, body: str) -> dict[str, Any]:
    """A document that holds the text in every field that a person can fill."""
    token = await programs.token(sponsor)
    new = {"title": TITLE, "brief": body[:10_000], "body": body, "editor_id": editor_id}
    made: dict[str, Any] = await programs.ask("POST", "/api/v1/documents", token, json=new)
    path = f"/api/v1/documents/{made['id']}"
    first = {"body": body[:2_000], "quote": body[:100]}
    said = await programs.ask("POST", f"{path}/comments", token, json=first)
    await programs.ask("POST", f"{path}/comments", token, json={"body": SHORT, "parent_id": said["id"]})
    changed = {"body": f"{SHORT[:300]}\n\n{body}"[:500_000]}
    await programs.ask("PATCH", path, token, json=changed, headers={"If-Match": "*"})
    return made


async def test_short_texts_before_everybody(come: Visitors, cast: Cast, programs: Programs) -> None:
    eve = await sign(programs, cast, "sponsor")
    known = await commission(programs, cast, "Only to know the editor", "")
    made = await written(programs, eve, known["editor_id"], SHORT)
    token = await programs.token(eve)
    headers = {"Content-Type": "image/png"}
    for name, content in FILES:
        path = f"/api/v1/documents/{made['id']}/attachments?name={quote(name)}"
        await programs.ask("POST", path, token, content=content, headers=headers)
    await programs.ask("POST", f"/api/v1/documents/{made['id']}/hand-in", await programs.token(cast.editor))
    for step in ("accept", "publish"):
        await programs.ask("POST", f"/api/v1/documents/{made['id']}/{step}", token, json={"note": SHORT[:500]})
    document = await programs.ask("GET", f"/api/v1/documents/{made['id']}", token)
    entry = await programs.ask("GET", f"/api/v1/entries/{document['entry_id']}", token)
    public = ("/", f"/entry/{entry['id']}", f"/by/{entry['author']['id']}", f"/search?q={quote('alert onload')}")
    pages = {
        "sponsor": ["", "/versions", "/versions/1", "/compare?from=1&to=2"],
        "editor": ["", "/versions/2"],
    }
    people: dict[str, Person | None] = {
        "sponsor": eve, "editor": cast.editor, "admin": cast.admin, "member": cast.member, "visitor": None,
    }  # fmt: skip
    for role, person in people.items():
        visitor = await come(dark=role == "editor", width=360 if role == "member" else 1280)
        seen = Watched(visitor)
        if person is not None:
            await visitor.enter(person)
        await seen.look(*public, *(f"/{role}/documents/{made['id']}{page}" for page in pages.get(role, ())))
        if role == "sponsor":
            await seen.look("/account", "/account/history", f"/documents/{made['id']}/export", "/sponsor/dashboard")
            await files(visitor, made["id"])
        if role == "admin":
            await seen.look("/admin/", "/admin/people", "/admin/audit", f"/documents/{made['id']}/attachments")
        assert seen.dialogs == []


async def files(visitor: Visitor, document_id: str) -> None:
    """Every file there is comes as a download, under a name that is only a name."""
    await visitor.go(f"/documents/{document_id}/attachments")
    links = await visitor.page.locator("[data-files] tbody th a").all()
    assert len(links) == len(FILES)
    for link in links:
        async with visitor.page.expect_download() as download:
            await link.click()
        found = (await download.value).suggested_filename
        assert not {"/", "\\", "\u202e"} & set(found), found
        href = await link.get_attribute("href")
        before = len(visitor.troubles)
        with pytest.raises(Error, match=r"Download is starting|ERR_ABORTED"):
            await visitor.page.goto(f"{visitor.url}{href}")
        visitor.troubles[before:] = [line for line in visitor.troubles[before:] if "ERR_ABORTED" not in line]


async def test_long_texts_before_those_who_work_on_them(come: Visitors, cast: Cast, programs: Programs) -> None:
    known = await commission(programs, cast, "Only to know the editor", "")
    sponsor = await come()
    await sponsor.enter(cast.sponsor)
    seen = Watched(sponsor)
    for name in LONG:
        made = await written(programs, cast.sponsor, known["editor_id"], CORPUS[name])
        here = f"/sponsor/documents/{made['id']}"
        await seen.look(here, f"{here}/compare?from=1&to=2")
