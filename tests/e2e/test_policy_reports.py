"""A browser that refuses something on a page of ours says so, and administrators see it."""

from __future__ import annotations

import asyncio
from time import monotonic

from playwright.async_api import Browser

from app.watch.writing import WatchBook
from local.stack import Stack
from tests import makers
from tests.served import served

PLANT = """() => {
  const script = document.createElement("script");
  script.textContent = "document.title = 'taken over'";
  document.body.append(script);
  const image = document.createElement("img");
  image.src = "https://elsewhere.example/pixel.png?session=1";
  document.body.append(image);
}"""


async def test_a_refused_script_and_a_foreign_image_are_reported(browser: Browser, app_stack: Stack) -> None:
    async with served(app_stack) as site:
        page = await browser.new_page()
        await page.goto(f"{site.settings.public_url}/login?next=/account")
        await page.evaluate(PLANT)
        assert await page.title() != "taken over"
        admin = await makers.signed_in(site, "admin")
        book: WatchBook = site.app.extensions[WatchBook.__name__]

        wanted = {("/login", "script-src-elem", "inline"), ("/login", "img-src", "https://elsewhere.example")}
        seen: set[tuple[str, str, str]] = set()
        until = monotonic() + 20
        while not seen >= wanted:
            assert monotonic() < until, seen
            await asyncio.sleep(0.1)
            await book.write()
            found = (await admin.program.get("/api/v1/admin/security/policy-reports")).json()["items"]
            seen = {(item["page"], item["directive"], item["blocked"]) for item in found}
        await page.close()
