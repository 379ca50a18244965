"""What a real Chromium makes of files from another origin: pictures show, and a page there reaches nothing of the site."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from playwright.async_api import Error, Page, expect

from app.web.file_proofs import FIELD, WINDOW, proof
from local.chromium import find
from tests import makers
from tests.attachments.apart import Apart
from tests.cast import Person
from tests.e2e.browser import TELL_POLICY, chromium

# Whether a script of the page could get at what lies there, by any way of asking.
REACH = """async (there) => {
  const asked = await Promise.all(["cors", "no-cors"].map(
    (mode) => fetch(there, {mode, credentials: "include"}).then((answer) => answer.text(), () => "")));
  return asked.join("");
}"""


async def sign_in(page: Page, site: str, who: Person) -> None:
    await page.goto(f"{site}/login")
    await page.get_by_label("Email address").fill(who.email)
    await page.get_by_label("Password", exact=True).fill(who.password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/sponsor/dashboard")


def session_of(address: str) -> UUID:
    (given,) = parse_qs(urlsplit(address).query)[FIELD]
    return UUID(bytes=urlsafe_b64decode(given)[9:25])


async def test_pictures_show_and_their_origin_reaches_nothing(apart: Apart) -> None:
    site, plain, program = apart.site.settings.public_url, f"{apart.files}{apart.path}/image", find()
    assert program is not None
    text = {"body": f"![Ink]({apart.path}/image)"}
    await apart.sponsor.program.patch(f"/api/v1/documents/{apart.document_id}", text, If_Match="*")
    async with chromium(program) as browser:
        context = await browser.new_context()
        await context.add_init_script(TELL_POLICY)
        page, troubles = await context.new_page(), list[str]()
        page.on("console", lambda message: troubles.append(message.text))
        await sign_in(page, site, apart.sponsor)
        await page.goto(f"{site}/sponsor/documents/{apart.document_id}")
        picture = page.locator(".prose img")
        await expect(picture).to_have_js_property("naturalWidth", 1)
        address = await picture.get_attribute("src") or ""
        assert address.startswith(f"{plain}?")
        await page.goto(f"{site}/documents/{apart.document_id}/attachments")
        async with page.expect_download() as found:
            await page.get_by_role("link", name="ink.png", exact=True).click()
        assert (await (await found.value).path()).read_bytes() == makers.PIXEL
        assert troubles == []
        # Our own pages show what is there and read none of it.
        assert await page.evaluate(REACH, address) == ""
        # By its plain address: past the site, which knows the session, and back with a proof.
        await page.goto(plain)
        assert page.url.startswith(f"{plain}?{FIELD}=")
        assert await page.evaluate("self.origin") == "null"
        with pytest.raises(Error, match="SecurityError"):
            await page.evaluate("document.cookie")
        for there in (f"{site}/account", f"{site}/static/site.css", f"{site}/api/unsecure", plain):
            assert await page.evaluate(REACH, there) == ""
        assert {cookie.get("domain") for cookie in await context.cookies()} == {"127.0.0.1"}
        # An address that is over opens nothing, and does not go round in circles.
        old = proof(apart.ring, f"{apart.path}/image", session_of(address), time.time() - 2 * WINDOW)
        over = await page.goto(f"{plain}?{FIELD}={old}")
        assert over is not None
        assert over.status == 403
        await context.close()


async def test_a_file_that_would_run_is_saved_and_not_shown(apart: Apart) -> None:
    page_of_evil = b"<!doctype html><title>Mine</title><script>document.title = 'ran'</script>"
    file_id = await makers.attachment(apart.sponsor, apart.document_id, page_of_evil, "page.html")
    address, program = apart.path.replace(apart.picture_id, file_id), find()
    assert program is not None
    async with chromium(program) as browser:
        page = await browser.new_page()
        await sign_in(page, apart.site.settings.public_url, apart.sponsor)
        async with page.expect_download() as found:
            with pytest.raises(Error, match="Download is starting"):
                await page.goto(apart.files + address)
        saved = await found.value
        assert urlsplit(saved.url).netloc == urlsplit(apart.files).netloc
        assert (await saved.path()).read_bytes() == page_of_evil
        assert "/sponsor/dashboard" in page.url
