"""The console gets its next token by itself, shortly before the one it has runs out."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from local.stack import Stack
from tests import makers
from tests.served import served


async def test_the_console_renews_its_token_by_itself(browser: Browser, app_stack: Stack) -> None:
    async with served(app_stack, ACCESS_TOKEN_LIFE="33") as site:  # it renews thirty seconds before the end
        person = await makers.person(site)
        page = await browser.new_page()
        await page.goto(f"{site.settings.public_url}/console")
        await page.get_by_label("Email address").fill(person.email)
        await page.get_by_label("Password", exact=True).fill(person.password)
        await page.get_by_role("button", name="Get a token").click()
        async with page.expect_response("**/api/v1/auth/refresh", timeout=20_000) as renewed:
            await expect(page.locator("#token")).to_be_visible()
        assert (await renewed.value).status == 200
        await page.get_by_role("button", name="GET /api/secure").click()
        await expect(page.locator("#answers article").first).to_contain_text(person.name)
        assert await page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
        await page.close()
