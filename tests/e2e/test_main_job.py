"""The main job, in a real browser: people come, are let in, commission, write, hand in, publish, and are read."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.e2e.browser import Visitor, Visitors
from tests.e2e.manuscript import INKS, LABELS, TITLE, manuscript
from tests.e2e.people import Cast, Person, Programs

BEGINS_AT_THE_RIGHT = """(paragraph) => {
  const first = document.createRange(), whole = paragraph.getBoundingClientRect();
  first.setStart(paragraph.firstChild, 0);
  first.setEnd(paragraph.firstChild, 1);
  return Math.abs(first.getBoundingClientRect().right - whole.right) < 2;
}"""
WROTE = "It rained into the ink, and the ink did not mind."


async def approve(admin: Visitor, person: Person) -> None:
    await admin.go("/admin/")
    await admin.page.get_by_role("link", name="Queue", exact=True).click()
    card = admin.page.locator(".card", has_text=person.email)
    await card.locator("summary", has_text="Approve").click()
    await card.get_by_label("Reason").first.fill("Known to us by their earlier work.")
    await card.get_by_role("button", name=f"Approve {person.display_name}").click()
    await expect(admin.page.get_by_role("status").first).to_contain_text(f"{person.display_name} is active now")


async def commission(sponsor: Visitor, title: str, editor: Person) -> str:
    """Create a document for an editor and return its address."""
    await sponsor.page.get_by_role("link", name="Commission a document").first.click()
    await sponsor.page.get_by_label("Title").fill(title)
    await sponsor.page.get_by_label("Brief").fill("Sixteen inks, for people who have never held a pen.")
    await sponsor.page.get_by_label("Editor").select_option(label=editor.display_name)
    await sponsor.press("Create the document")
    assert re.fullmatch(r"/sponsor/documents/[0-9a-f-]{36}", sponsor.page.url.removeprefix(sponsor.url))
    await expect(sponsor.page.locator(".byline").first).to_contain_text("In progress")
    return sponsor.page.url


async def write(editor: Visitor, title: str, text: str) -> None:
    """Open the assignment, type the text, save it and hand it in."""
    await editor.page.get_by_role("link", name=title).click()
    await expect(editor.page.get_by_text("Sixteen inks, for people")).to_be_visible()
    await editor.page.get_by_label("Text", exact=True).fill(text)
    await editor.press("Save a new version")
    assert await editor.said() == "Saved. Every version is kept."
    await editor.page.locator("summary", has_text="Hand in").click()
    await editor.page.get_by_label("Note").fill("All sixteen, with a table.")
    await editor.press("Hand in")
    assert await editor.said() == "Handed in. The sponsor can read it now."


async def reads_like_a_book(page: Page) -> None:
    prose = page.locator("article .prose")
    await expect(prose.get_by_role("heading", name=TITLE)).to_be_visible()
    await expect(prose.get_by_role("table").locator("tbody tr")).to_have_count(len(INKS))
    # The page has its own first rank, so the ranks of a text begin one below.
    await expect(prose.get_by_role("heading", level=3)).to_have_count(len(INKS) + 3)
    await expect(prose.locator("pre code")).to_contain_text('if 2 < 3 & 1 else "<none>"')
    await expect(prose.locator("ol > li")).to_have_count(3)
    for label in LABELS.split("\n\n")[2:]:
        await expect(prose).to_contain_text(label.replace("*", "").strip())
    arabic = prose.locator("p", has_text="يُحفظ الحبر")
    assert await arabic.evaluate(BEGINS_AT_THE_RIGHT)


async def test_from_commission_to_publication(come: Visitors, cast: Cast, programs: Programs) -> None:
    text, title = manuscript(), f"{TITLE}, first edition"
    assert len(text) >= 30_000
    people = {
        "/register": Person("member", "Halina Wójcik"),
        "/signupsponsor": Person("sponsor", "Cornelius van der Meer"),
        "/signupeditor": Person("editor", "Nadezhda Orlova"),
    }
    member_person, sponsor_person, editor_person = people.values()
    member, sponsor, editor = [await come() for _ in people]
    for visitor, (path, person) in zip((member, sponsor, editor), people.items(), strict=True):
        await visitor.register(path, person)
        await visitor.sign_in(person)

    assert await editor.heading() == "Your application is being read"
    editor.forgiven = {403}
    await editor.go("/editor/dashboard")
    assert "Your assignments" not in await editor.page.content()
    editor.forgiven = set()

    await member.go("/entry")
    await member.page.get_by_label("Title").fill("A wet day")
    await member.page.get_by_label("Text", exact=True).fill(WROTE)
    await member.press("Publish to the journal")

    admin = await come()
    await admin.sign_in(cast.admin)
    for person in (sponsor_person, editor_person):
        await approve(admin, person)

    await sponsor.go("/sponsor/dashboard")
    address = await commission(sponsor, title, editor_person)
    await editor.go("/editor/dashboard")
    await write(editor, title, text)

    await sponsor.page.goto(address)
    await reads_like_a_book(sponsor.page)
    await sponsor.press("Accept")
    await sponsor.press("Publish")
    assert await sponsor.said() == "Published in the journal."

    reader = await come(width=360)
    await reader.go("/")
    await expect(reader.page.get_by_text("A wet day")).to_be_visible()
    await reader.page.get_by_role("link", name=title).click()
    await reads_like_a_book(reader.page)
    await expect(reader.page.locator(".byline").first).to_contain_text(editor_person.display_name)
    entry_id = reader.page.url.rpartition("/")[2]

    await a_program_reads_the_same(programs, member_person, entry_id, text)
    document_id = address.rpartition("/")[2]
    document = await programs.ask("GET", f"/api/v1/documents/{document_id}", await programs.token(sponsor_person))
    assert (document["body"], document["state"], document["title"]) == (text, "published", title)


async def a_program_reads_the_same(programs: Programs, person: Person, entry_id: str, text: str) -> None:
    token = await programs.token(person)
    entry = await programs.ask("GET", f"/api/v1/entries/{entry_id}", token)
    assert entry["body"].encode() == text.encode()
    listed = await programs.ask("GET", "/api/v1/entries", token)
    assert [item["body"] for item in listed["items"] if item["id"] == entry_id] == [text]
