"""The journal in a real browser: an entry is tagged, changed, compared, restored, withdrawn; code is copied as it is seen."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.browser import Visitors
from tests.e2e.people import Cast, Programs

TRICKED = 'if user.role == "adm\u200bin":  # \u202e\u2066 nobody else\n    let_in(user)\n'
SEEN = 'if user.role == "admU+200Bin":  # U+202EU+2066 nobody else\n    let_in(user)\n'


async def test_an_entry_through_its_life(come: Visitors, cast: Cast) -> None:
    author, reader = await come(), await come(dark=True, width=360)
    await author.enter(cast.member)
    await author.go("/entry")
    await author.page.get_by_label("Title").fill("On lamps")
    await author.page.get_by_label("Text", exact=True).fill("Lit early.\n\nPut out late.\n")
    await author.page.get_by_label("Tags").fill("Reading Room, lamps")
    await author.press("Publish to the journal")
    await author.page.get_by_role("link", name="Edit this entry").click()
    await author.page.get_by_label("Text", exact=True).fill("Lit late.\n\nPut out late.\n")
    await author.press("Save and publish the change")
    assert await author.said() == "Saved. Readers see it so from now on; every version is kept."
    entry = author.page.url.removeprefix(author.url)
    await reader.go("/tag/reading-room")
    await reader.page.get_by_role("link", name="On lamps").click()
    await expect(reader.page.locator(".prose")).to_contain_text("Lit late.")
    assert await reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await reader.context.cookies() == []
    await author.page.get_by_role("link", name="Its versions").click()
    await author.press("Compare the two chosen")
    await expect(author.page.locator("table.compared ins")).to_have_text("late")
    await author.press("Restore version 1")
    assert await author.said() == "Version 1 is restored, as a new version."
    await expect(author.page.locator(".prose")).to_contain_text("Lit early.")
    await author.page.get_by_role("link", name="Edit this entry").click()
    await author.page.locator("summary", has_text="Withdraw this entry").click()
    await author.press("Withdraw")
    reader.forgiven = {410}
    await reader.go(entry)
    await expect(reader.page.get_by_text("has been withdrawn by those who published it")).to_be_visible()
    await author.press("Publish it again")
    await reader.go(entry)
    await expect(reader.page.locator(".prose")).to_contain_text("Lit early.")


async def test_two_windows_are_put_together(come: Visitors, cast: Cast, programs: Programs) -> None:
    new = {"title": "A letter", "body": "The lamps were lit.\n"}
    made = await programs.ask("POST", "/api/v1/entries", await programs.token(cast.member), json=new)
    author = await come()
    await author.enter(cast.member)
    await author.go(f"/entry/{made['id']}/edit")
    text = await author.page.get_by_label("Text", exact=True).input_value()
    other = await author.context.new_page()
    await other.goto(author.page.url)
    await other.get_by_label("Title").fill("A letter from the other window")
    async with other.expect_navigation():  # a window that is closed on its way to a page may never tell that it is
        await other.get_by_role("button", name="Save and publish the change").click()
    await other.close()
    author.forgiven = {409}
    await author.page.get_by_label("Text", exact=True).fill(f"{text}\nAnd they stayed lit.\n")
    await author.press("Save and publish the change")
    assert await author.heading() == "This was saved while you were writing"
    await expect(author.page.get_by_label("Title")).to_have_value("A letter from the other window")
    await author.page.get_by_role("button", name="Save as version 3").click()
    await expect(author.page.locator(".prose")).to_contain_text("And they stayed lit.")
    assert await author.heading() == "A letter from the other window"


async def test_drafts_without_a_script(come: Visitors, cast: Cast) -> None:
    author = await come(java_script_enabled=False)
    await author.sign_in(cast.member)
    await author.go("/entry")
    await author.page.get_by_label("Title").fill("Kept by hand")
    await author.page.get_by_label("Text", exact=True).fill("By the press of a button.")
    await author.press("Keep as a draft")
    assert await author.said() == "Kept as a draft. Only you see it."
    await author.page.get_by_role("link", name="Kept by hand", exact=True).click()
    await expect(author.page.get_by_label("Text", exact=True)).to_have_value("By the press of a button.")
    await author.press("Throw it away")
    await author.go("/drafts")
    await expect(author.page.get_by_text("Kept by hand")).to_have_count(0)


async def test_what_is_copied_is_what_is_seen(come: Visitors, cast: Cast, programs: Programs) -> None:
    new = {"title": "Trojan", "body": f"```python\n{TRICKED}```\n"}
    made = await programs.ask("POST", "/api/v1/entries", await programs.token(cast.member), json=new)
    reader = await come(permissions=["clipboard-read", "clipboard-write"])
    await reader.go(f"/entry/{made['id']}")
    await reader.page.get_by_role("button", name="Copy this block").click()
    await expect(reader.page.locator(".copy")).to_have_text("Copied")
    assert await reader.page.evaluate("navigator.clipboard.readText()") == SEEN
