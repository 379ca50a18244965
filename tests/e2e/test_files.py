"""Files in a real browser: sent with their progress seen, pasted and dropped into a text, and refused in words that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.browser import Visitor, Visitors
from tests.e2e.people import Cast, Programs
from tests.e2e.test_writing import commission
from tests.makers import PIXEL

# What a browser does when somebody pastes a picture or drops a file, as far as a page can tell.
GIVE = """(area, {kind, name, type, bytes}) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  const options = {bubbles: true, cancelable: true};
  area.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", {...options, clipboardData: data})
    : new DragEvent("drop", {...options, dataTransfer: data}));
}"""
CURSOR = "(area, at) => { area.focus(); area.setSelectionRange(at, at); }"
LARGE = 25 * 1024 * 1024 + 1


async def give(page: Page, kind: str, name: str, content: bytes, media_type: str = "image/png") -> None:
    given = {"kind": kind, "name": name, "type": media_type, "bytes": list(content)}
    await text(page).evaluate(GIVE, given)


def text(page: Page) -> Any:
    return page.get_by_label("Text", exact=True)


def lines(page: Page) -> Any:
    return page.locator("form.writing [data-uploads] li")


async def test_pictures_come_into_the_text_where_the_cursor_is(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "With pictures", "Before.\n\nAfter.\n")
    editor: Visitor = await come(width=360)
    await editor.enter(cast.editor)
    await editor.go(f"/editor/documents/{made['id']}")
    await editor.page.locator("summary", has_text="Edit the text").click()
    await text(editor.page).evaluate(CURSOR, len("Before.\n"))
    await give(editor.page, "paste", "image.png", PIXEL)
    await expect(lines(editor.page)).to_contain_text("Attached.")
    value = await text(editor.page).input_value()
    assert value.startswith("Before.\n![Picture ")
    assert value.endswith("/image)\nAfter.\n")
    await text(editor.page).press("Control+z")  # the place it took, and once more what was there before
    await text(editor.page).press("Control+z")
    assert await text(editor.page).input_value() == "Before.\n\nAfter.\n"
    await text(editor.page).press("Control+Shift+z")
    await text(editor.page).press("Control+Shift+z")
    await give(editor.page, "drop", "notes.txt", b"Soot", "text/plain")
    await expect(lines(editor.page)).to_have_count(2)
    await expect(lines(editor.page).last).to_contain_text("Attached.")
    assert "[notes.txt](/documents/" in await text(editor.page).input_value()
    # By keyboard alone: the chooser of files is a field like any other.
    await editor.page.get_by_label("Put a picture or a file into the text").focus()
    await editor.page.get_by_label("Put a picture or a file into the text").set_input_files(
        {"name": "page.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    )
    await expect(lines(editor.page).last).to_contain_text("it is no picture that can be shown")
    assert await editor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await editor.press("Save a new version")
    await expect(editor.page.locator(".prose img")).to_have_js_property("naturalWidth", 1)


async def test_what_cannot_be_taken_costs_no_word(
    come: Visitors, cast: Cast, programs: Programs, tmp_path: Path
) -> None:
    made = await commission(programs, cast, "Without pictures", "Every word.\n")
    sponsor: Visitor = await come(dark=True)
    await sponsor.enter(cast.sponsor)
    await sponsor.go(f"/sponsor/documents/{made['id']}")
    page = sponsor.page
    await page.locator("summary", has_text="Edit the text").click()
    await text(page).fill("Every word, and one more.\n")
    chooser = page.get_by_label("Put a picture or a file into the text")
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(LARGE)
    await chooser.set_input_files(film)
    await expect(lines(page).last).to_contain_text("too large. At most 25 MB")
    sponsor.forgiven = {415, 422}
    await chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"MZ\x90\0\3" + bytes(99)})
    await expect(lines(page).last).to_contain_text("Programs cannot be attached")
    await chooser.set_input_files({"name": "empty.png", "mimeType": "image/png", "buffer": b""})
    await expect(lines(page).last).to_contain_text("This file is empty.")
    before = len(sponsor.troubles)
    await sponsor.context.set_offline(True)
    await chooser.set_input_files({"name": "ink.png", "mimeType": "image/png", "buffer": PIXEL})
    await expect(lines(page).last).to_contain_text("The connection was lost")
    assert await text(page).input_value() == "Every word, and one more.\n"
    await sponsor.context.set_offline(False)
    sponsor.troubles[before:] = [line for line in sponsor.troubles[before:] if "INTERNET_DISCONNECTED" not in line]
    await lines(page).last.get_by_role("button", name="Try again").press("Enter")
    await expect(lines(page).last).to_contain_text("Attached.")
    assert "![ink](/documents/" in await text(page).input_value()
    await sponsor.context.clear_cookies()
    sponsor.forgiven = {403}
    await chooser.set_input_files({"name": "late.png", "mimeType": "image/png", "buffer": PIXEL})
    await expect(lines(page).last).to_contain_text("You are signed out")
    assert (await text(page).input_value()).startswith("Every word, and one more.\n")


async def test_files_are_sent_from_their_own_page(come: Visitors, cast: Cast, programs: Programs) -> None:
    made = await commission(programs, cast, "With files", "Text.\n")
    editor: Visitor = await come()
    await editor.enter(cast.editor)
    await editor.go(f"/documents/{made['id']}/attachments")
    await editor.page.get_by_label("File", exact=True).set_input_files(
        {"name": "one.txt", "mimeType": "text/plain", "buffer": b"a" * 3_000_000}
    )
    await editor.page.get_by_role("button", name="Attach").click()
    await expect(editor.page.locator("[data-uploads] li")).to_contain_text("Attached.")
    await expect(editor.page.locator("[data-files]").get_by_role("link", name="one.txt")).to_be_visible()
    async with editor.page.expect_download() as found:
        await editor.page.locator("[data-files]").get_by_role("link", name="one.txt").click()
    assert (await found.value).suggested_filename == "one.txt"
    await editor.press("Remove one.txt")
    assert await editor.said() == "The file is no longer attached."
