"""Writing in a real browser: a sentence outlives the browser, the network and the session; two writers put texts together."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.e2e.browser import Visitor, Visitors
from tests.e2e.people import Cast, Person, Programs

SENTENCE = "A sentence that its writer did not get to fin"
HIDE = """() => {
  Object.defineProperty(document, "hidden", { get: () => true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def commission(programs: Programs, cast: Cast, title: str, body: str) -> Any:
    """A new document for the editor of the house."""
    token = await programs.token(cast.sponsor)
    (known,) = [
        item
        for item in (await programs.ask("GET", "/api/v1/documents", token))["items"]
        if item["id"] == cast.document_id
    ] or [await programs.ask("GET", f"/api/v1/documents/{cast.document_id}", token)]
    new = {"title": title, "body": body, "editor_id": known["editor_id"]}
    return await programs.ask("POST", "/api/v1/documents", token, json=new)


def state(page: Page) -> Any:
    return page.locator("[data-draft-state]")


async def test_the_browser_dies_in_mid_sentence(come: Visitors, cast: Cast) -> None:
    writer: Visitor = await come()
    await writer.enter(cast.member)
    await writer.go("/entry")
    await writer.page.get_by_label("Title").fill("Unfinished")
    await writer.page.get_by_label("Text", exact=True).press_sequentially(SENTENCE, delay=5)
    await expect(state(writer.page)).to_contain_text("Draft saved at", timeout=15_000)
    # The window is gone at once: no warning, no event that a page could still answer.
    await writer.page.close(run_before_unload=False)
    writer.page = await writer.context.new_page()
    await writer.go("/entry")
    await expect(writer.page.get_by_text("You have a draft that you did not save")).to_be_visible()
    await writer.page.get_by_role("link", name="Go on with the draft").click()
    await expect(writer.page.get_by_label("Text", exact=True)).to_have_value(SENTENCE)
    await expect(writer.page.get_by_label("Title")).to_have_value("Unfinished")
    await writer.press("Throw it away")
    await expect(writer.page.get_by_label("Text", exact=True)).to_have_value("")


async def test_a_draft_that_was_found_outlives_writing_on_without_it(
    come: Visitors, cast: Cast, programs: Programs
) -> None:
    made = await commission(programs, cast, "Begun twice", "Saved.\n")
    editor: Visitor = await come(width=360)
    await editor.enter(cast.editor)
    here = f"/editor/documents/{made['id']}"
    area = editor.page.get_by_label("Text", exact=True)
    found = editor.page.locator(".draft-found")
    for body in (SENTENCE, "Another beginning, by somebody who did not look up"):
        await editor.go(here)
        if body == SENTENCE:
            await expect(found).to_have_count(0)
        else:
            await expect(found).to_contain_text("You have a draft that you did not save")
        await editor.page.locator("summary", has_text="Edit the text").click()
        await area.fill(body)
        await expect(state(editor.page)).to_contain_text("Draft saved at", timeout=15_000)
    await editor.press("Save a new version")
    assert await editor.said() == "Saved. Every version is kept."
    await expect(editor.page.locator(".prose").last).to_contain_text("Another beginning")
    await expect(found).to_contain_text("It stays as it is until you open it")
    assert await editor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await editor.page.get_by_role("link", name="Go on with the draft").click()
    await expect(area).to_have_value(SENTENCE)
    await editor.press("Throw it away")
    await expect(found).to_have_count(0)


async def test_two_windows_on_one_draft_keep_both_texts(come: Visitors, cast: Cast, programs: Programs) -> None:
    """And a window that is put away while it keeps a draft leaves its newest words, not those under way."""
    made = await commission(programs, cast, "In two windows", "Saved.\n")
    editor: Visitor = await come()
    await editor.enter(cast.editor)
    first, here = editor.page, f"/editor/documents/{made['id']}"
    await editor.go(here)
    await first.locator("summary", has_text="Edit the text").click()
    await first.get_by_label("Text", exact=True).fill("Begun")
    await expect(state(first)).to_contain_text("Draft saved at", timeout=15_000)
    # The window in which it was begun stays open, and two more go on with the draft.
    windows = {"In the first": first}
    for text in ("In the second", "In the third"):
        editor.page = windows[text] = await editor.context.new_page()
        await editor.go(f"{here}?draft=1")
        await expect(editor.page.get_by_label("Text", exact=True)).to_have_value("Begun")
    for text, page in windows.items():
        await page.get_by_label("Text", exact=True).fill(text)
    for page in windows.values():
        await expect(state(page)).to_contain_text("Draft saved at", timeout=15_000)

    under_way, released = 0, asyncio.Event()

    async def hold(route: Route) -> None:
        nonlocal under_way
        under_way += 1
        await released.wait()
        await route.continue_()

    await editor.page.route("**/drafts", hold)
    area = editor.page.get_by_label("Text", exact=True)
    async with editor.page.expect_request("**/drafts"):
        await area.fill("In the third, and")
    await area.fill("In the third, and last")
    await editor.page.evaluate(HIDE)
    await expect(state(editor.page)).to_contain_text("Not saved yet")
    assert under_way == 1
    async with editor.page.expect_response("**/drafts"), editor.page.expect_request("**/drafts"):
        released.set()
    await expect(state(editor.page)).to_contain_text("Draft saved at")
    assert under_way == 2
    await editor.page.unroute("**/drafts")

    await editor.go("/drafts")
    links = editor.page.locator(".card", has_text="In two windows").get_by_role("link", name="Go on")
    kept = []
    for address in [await link.get_attribute("href") for link in await links.all()]:
        await editor.go(address or "")
        kept.append(await editor.page.get_by_label("Text", exact=True).input_value())
    assert sorted(kept) == ["In the first", "In the second", "In the third, and last"]
    for page in (first, windows["In the second"]):
        await page.close()


async def test_the_network_goes_and_comes_back(come: Visitors, cast: Cast) -> None:
    writer: Visitor = await come(width=360)
    await writer.enter(cast.member)
    await writer.go("/entry")
    area = writer.page.get_by_label("Text", exact=True)
    await writer.context.set_offline(True)
    await area.fill("Written in a tunnel.")
    await expect(state(writer.page)).to_contain_text("there is no connection", timeout=15_000)
    before = len(writer.troubles)
    await writer.context.set_offline(False)
    await expect(state(writer.page)).to_contain_text("Draft saved at", timeout=15_000)
    assert len(writer.troubles) == before
    writer.troubles = [line for line in writer.troubles if "ERR_INTERNET_DISCONNECTED" not in line]
    await writer.page.get_by_role("button", name="Preview").click()
    await expect(writer.page.get_by_role("region", name="Preview")).to_contain_text("Written in a tunnel.")
    await writer.page.get_by_role("button", name="Write on").click()
    await expect(area).to_be_focused()
    assert await writer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await writer.press("Throw it away") if await writer.page.locator(".draft-found").count() else None
    await writer.page.get_by_label("Title").fill("From the tunnel")
    await writer.press("Publish to the journal")
    assert await writer.said() == "Published. Everybody can read it now."


async def test_two_write_at_once_and_merge_by_keyboard(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "Written by two", "One.\n\nTwo.\n\nThree.\n")
    sponsor, editor = await come(), await come(dark=True)
    await sponsor.enter(cast.sponsor)
    await editor.enter(cast.editor)
    await sponsor.go(f"/sponsor/documents/{made['id']}")
    await editor.go(f"/editor/documents/{made['id']}")
    for visitor in (sponsor, editor):
        await visitor.page.locator("summary", has_text="Edit the text").click()
    await editor.page.get_by_label("Text", exact=True).fill("One.\n\nTwo.\n\nThree, by the editor.\n")
    await editor.press("Save a new version")
    sponsor.forgiven = {409}
    area = sponsor.page.get_by_label("Text", exact=True)
    await area.fill("One, by the sponsor.\n\nTwo.\n\nThree.\n")
    async with sponsor.page.expect_navigation():
        await area.press("Control+s")
    assert await sponsor.heading() == "Somebody else saved this while you were writing"
    both = "One, by the sponsor.\n\nTwo.\n\nThree, by the editor.\n"
    await expect(area).to_have_value(both)
    async with sponsor.page.expect_navigation():
        await area.press("Control+s")
    assert await sponsor.said() == "Saved. Every version is kept."
    await history(sponsor, made["id"])


async def test_the_same_line_by_two_is_put_right_by_keyboard(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "One line by two", "One.\n" * 200 + "Two.\n")
    sponsor: Visitor = await come(width=360)
    await sponsor.enter(cast.sponsor)
    await sponsor.go(f"/sponsor/documents/{made['id']}")
    await sponsor.page.locator("summary", has_text="Edit the text").click()
    path, theirs = f"/api/v1/documents/{made['id']}", {"body": "One.\n" * 200 + "Two, by the editor.\n"}
    await programs.ask("PATCH", path, await programs.token(cast.editor), json=theirs, headers={"If-Match": "*"})
    sponsor.forgiven = {409}
    area = sponsor.page.get_by_label("Text", exact=True)
    await area.fill("One.\n" * 200 + "Two, by the sponsor.\n")
    await sponsor.press("Save a new version")
    # A conflict is found and selected without searching, and a text that still holds marks is not saved.
    await sponsor.page.get_by_role("button", name="Go to the next place").press("Enter")
    await expect(area).to_be_focused()
    chosen = await area.evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert chosen.startswith("<<<<<<<")
    assert "Two, by the sponsor.\n=======\nTwo, by the editor.\n>>>>>>>" in chosen
    assert await area.evaluate("(area) => area.scrollTop > 0")
    await sponsor.press("Save as version 3")
    await expect(sponsor.page.get_by_role("alert")).to_contain_text("still holds the marks")
    await sponsor.page.get_by_role("button", name="Go to the next place").press("Enter")
    await sponsor.page.keyboard.insert_text("Two, by both.")
    assert await sponsor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    async with sponsor.page.expect_navigation():
        await area.press("Control+s")
    assert await sponsor.said() == "Saved. Every version is kept."
    await expect(sponsor.page.locator(".prose").last).to_contain_text("Two, by both.")


async def test_no_failed_save_costs_a_word(come: Visitors, cast: Cast, programs: Programs) -> None:
    """Without a connection the page stays; signed out or suspended, the text comes back with the refusal."""
    made = await commission(programs, cast, "Saved in the end", "One.\n")
    editor: Visitor = await come(dark=True)
    await editor.enter(cast.editor)
    await editor.go(f"/editor/documents/{made['id']}")
    await editor.page.locator("summary", has_text="Edit the text").click()
    area = editor.page.get_by_label("Text", exact=True)
    await area.fill("One, and a thought.\n")
    before = len(editor.troubles)
    await editor.context.set_offline(True)
    await area.press("Control+s")
    await expect(state(editor.page)).to_contain_text("nothing was sent")
    # A draft is under way when the text is saved: it is given up for the save, which carries the same words.
    await editor.page.route("**/drafts", lambda _: None)
    async with editor.page.expect_request("**/drafts"):
        await editor.context.set_offline(False)
    editor.troubles[before:] = [line for line in editor.troubles[before:] if "INTERNET_DISCONNECTED" not in line]
    await editor.context.clear_cookies()
    editor.forgiven = {401, 403}
    async with editor.page.expect_navigation():
        await area.press("Control+s")
    await editor.page.unroute("**/drafts")
    assert await editor.heading() == "You are signed out"
    await expect(editor.page.get_by_label("Text", exact=True)).to_have_value("One, and a thought.\n")
    async with editor.context.expect_page() as opened:
        await editor.page.get_by_role("link", name="Sign in in another tab").click()
    tab = await opened.value
    await tab.get_by_label("Email address").fill(cast.editor.email)
    await tab.get_by_label("Password", exact=True).fill(cast.editor.password)
    async with tab.expect_navigation():
        await tab.get_by_role("button", name="Sign in", exact=True).click()
    await editor.press("Go on")
    await editor.press("Save it now")
    assert await editor.said() == "Saved. Every version is kept."
    await expect(editor.page.locator(".prose").last).to_contain_text("One, and a thought.")


async def test_the_text_of_a_suspended_writer_is_theirs(come: Visitors, cast: Cast, programs: Programs) -> None:
    person = Person("member", "Sara Lindgren")
    person_id = await programs.register(person)
    writer: Visitor = await come(width=360)
    await writer.enter(person)
    await writer.go("/entry")
    await writer.page.get_by_label("Title").fill("Cut short")
    await writer.page.get_by_label("Text", exact=True).fill(SENTENCE)
    order = {"reason": "For the test.", "message": "We will talk tomorrow."}
    admin = await programs.token(cast.admin)
    await programs.ask("POST", f"/api/v1/admin/people/{person_id}/suspend", admin, json=order)
    writer.forgiven = {401, 403}
    await writer.press("Publish to the journal")
    await expect(writer.page.get_by_label("Text", exact=True)).to_have_value(SENTENCE)
    await expect(writer.page.get_by_role("alert")).to_contain_text("Nothing you typed is lost")
    assert await writer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def history(sponsor: Visitor, document_id: str) -> None:
    """Compare the first and the last version, and go back to the first."""
    await sponsor.page.get_by_role("link", name="All versions").click()
    await sponsor.page.get_by_label("From version 1", exact=True).check()
    await sponsor.press("Compare the two chosen")
    await expect(sponsor.page.locator("table.compared ins").first).to_contain_text("by")
    await sponsor.press("Restore version 1")
    assert await sponsor.said() == "Version 1 is restored, as a new version."
    await expect(sponsor.page.locator(".prose").last).to_contain_text("Three.")


async def test_a_comment_is_answered_and_resolved(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "Talked about", "Soot and gum.\n")
    sponsor, editor = await come(), await come(width=360, dark=True)
    await sponsor.enter(cast.sponsor)
    await editor.enter(cast.editor)
    await sponsor.go(f"/sponsor/documents/{made['id']}")
    await sponsor.page.get_by_label("Comment", exact=True).fill(f"Only these two, @{cast.editor.display_name}?")
    await sponsor.page.get_by_label("On this passage").fill("Soot and gum")
    await sponsor.press("Comment")
    await editor.go("/editor/dashboard")
    await expect(editor.page.get_by_role("region", name="Comments for you")).to_contain_text("1 names you")
    await editor.page.get_by_role("region", name="Comments for you").get_by_role("link", name="Talked about").click()
    await editor.page.get_by_label("Reply").fill("And water.")
    await editor.press("Send the reply")
    assert await editor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The sponsor's page hears of it by itself, and shows it where nobody is about to write.
    await expect(sponsor.page.locator("[data-live]")).to_contain_text("commented.")
    await expect(sponsor.page.locator("#comments")).to_contain_text("And water.")
    await sponsor.press("Resolve")
    await expect(sponsor.page.locator("#comments")).to_contain_text("Resolved:")


async def test_publish_and_unpublish(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "Soon withdrawn", "Read me while you can.")
    path = f"/api/v1/documents/{made['id']}"
    await programs.ask("POST", f"{path}/hand-in", await programs.token(cast.editor))
    token = await programs.token(cast.sponsor)
    await programs.ask("POST", f"{path}/accept", token)
    sponsor, reader = await come(), await come(width=360)
    await sponsor.enter(cast.sponsor)
    await sponsor.go(f"/sponsor/documents/{made['id']}")
    await sponsor.press("Publish")
    entry = await sponsor.page.get_by_role("link", name="Read it in the journal").get_attribute("href")
    await reader.go(entry or "")
    await expect(reader.page.get_by_text("Read me while you can.")).to_be_visible()
    await sponsor.page.locator("summary", has_text="Unpublish").click()
    await sponsor.press("Unpublish")
    assert await sponsor.said() == "Unpublished. Readers are told that it was withdrawn."
    reader.forgiven = {410}
    await reader.go(entry or "")
    await expect(reader.page.get_by_text("has been withdrawn by those who published it")).to_be_visible()
