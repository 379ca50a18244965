"""The API console and the API documentation in a browser: they work, under the policy, and keep nothing."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.browser import Visitor, Visitors
from tests.e2e.people import Cast, Programs, Secrets


async def answers(visitor: Visitor, words: str) -> None:
    await expect(visitor.page.locator("#answers article").first).to_contain_text(words)


async def test_the_console_signs_in_calls_and_keeps_nothing(come: Visitors, cast: Cast, known: Secrets) -> None:
    visitor = await come()
    visitor.forgiven = {401}
    page = visitor.page
    await visitor.go("/console")
    await page.get_by_role("button", name="GET /api/unsecure").click()
    await answers(visitor, "Everybody may read this.")
    await page.get_by_role("button", name="GET /api/secure").click()
    await answers(visitor, "Missing Authorization Header")

    await page.get_by_label("Email address").fill(cast.member.email)
    await page.get_by_label("Password", exact=True).fill(cast.member.password)
    async with page.expect_response("**/api/login") as given:
        await page.get_by_role("button", name="Get a token").click()
    token = known.note("access token", (await (await given.value).json())["access_token"])
    await expect(page.locator("#claims")).to_contain_text("exp")
    await expect(page.locator("#claims")).to_contain_text("scope")
    assert token not in await page.content()

    visitor.forgiven = set()
    await page.get_by_role("button", name="GET /api/secure").click()
    await answers(visitor, cast.member.display_name)

    assert await visitor.stored() == {}
    assert await visitor.context.cookies() == []
    assert await page.evaluate("token => Object.values(window).some((value) => value === token)", token) is False
    await page.get_by_role("button", name="Sign out").click()
    await answers(visitor, "204")
    await page.reload()
    await expect(page.locator("#token")).to_be_hidden()


async def test_the_documentation_tries_a_call_with_a_token(come: Visitors, cast: Cast, programs: Programs) -> None:
    token = await programs.token(cast.sponsor)
    visitor = await come()
    page = visitor.page
    await visitor.go("/docs")
    await expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
    described = await programs.ask("GET", "/api/openapi.json")
    operations = sum(len(methods) for methods in described["paths"].values())
    await expect(page.locator(".swagger-ui .opblock")).to_have_count(operations)

    await page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    bearer = dialog.locator(".auth-container", has_text="bearer")
    await bearer.get_by_role("textbox").fill(token)
    await bearer.get_by_role("button", name="Apply credentials").click()
    await dialog.get_by_role("button", name="Close").first.click()

    me = page.locator(".opblock", has=page.locator('[data-path="/api/v1/me"]')).first
    await me.locator(".opblock-summary-control").click()
    await me.get_by_role("button", name="Try it out").click()
    async with page.expect_response("**/api/v1/me") as given:
        await me.get_by_role("button", name="Execute").click()
    answer = await given.value
    assert answer.status == 200
    assert answer.request.headers["authorization"] == f"Bearer {token}"
    assert "cookie" not in await answer.request.all_headers()
    await expect(me.locator(".live-responses-table")).to_contain_text(cast.sponsor.email)
    assert await visitor.stored() == {}
