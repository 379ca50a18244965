"""A page of another origin in a real browser: what its scripts may read, and the way through the consent page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from local.stack import Stack
from tests import makers
from tests.cast import Person
from tests.e2e.house import free_port
from tests.oauth.flow import Client, client_of
from tests.served import served
from tests.site import Site

READ = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return { status: answer.status, type: answer.type, etag: answer.headers.get("etag"), text: await answer.text() };
  } catch (error) { return { refused: String(error) }; }
}"""


@dataclass
class Elsewhere:
    """Another origin, and the site that knows it."""

    origin: str
    site: Site
    person: Person
    client: Client


@pytest.fixture(scope="module")
async def elsewhere(app_stack: Stack) -> AsyncIterator[Elsewhere]:
    """A web server with one page, an application that lets its origin in, and a client registered for it."""
    port = free_port()
    server = await asyncio.start_server(_page, "127.0.0.1", port)
    origin = f"http://127.0.0.1:{port}"
    async with server, served(app_stack, CORS_ORIGINS=origin) as site:
        person = await makers.signed_in(site, "sponsor", name="Renate")
        yield Elsewhere(origin, site, person, await client_of(person, redirect_uris=[f"{origin}/callback"]))


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = b"<!doctype html><title>Elsewhere</title><h1>Back at the reading list</h1>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()


async def read(browser: Browser, origin: str, url: str, **options: Any) -> dict[str, Any]:
    """What a script on a page of this origin gets."""
    page = await browser.new_page()
    try:
        await page.goto(origin)
        got: dict[str, Any] = await page.evaluate(READ, [url, options])
        return got
    finally:
        await page.close()


async def test_what_an_allowed_origin_reads(browser: Browser, elsewhere: Elsewhere) -> None:
    us, origin = elsewhere.site.settings.public_url, elsewhere.origin
    bearer = {"Authorization": f"Bearer {elsewhere.person.program.token}"}
    assert (await read(browser, origin, f"{us}/api/unsecure"))["status"] == 200
    me = await read(browser, origin, f"{us}/api/v1/me", headers=bearer)
    assert elsewhere.person.email in me["text"]
    document = await makers.document(elsewhere.person)
    shown = await read(browser, origin, f"{us}/api/v1/documents/{document['id']}", headers=bearer)
    assert shown["etag"] is not None, "a script needs the validator to change it"
    changed = await read(
        browser,
        origin,
        f"{us}/api/v1/documents/{document['id']}",
        method="PATCH",
        headers=bearer | {"If-Match": shown["etag"], "Content-Type": "application/json"},
        body='{"title": "From elsewhere"}',
    )
    assert changed["status"] == 200


async def test_what_it_does_not_read(browser: Browser, elsewhere: Elsewhere) -> None:
    us, origin = elsewhere.site.settings.public_url, elsewhere.origin
    for path in ("/", "/login", "/account", "/health/live"):
        assert "refused" in await read(browser, origin, us + path), path
    with_cookies = await read(browser, origin, f"{us}/api/v1/entries", credentials="include")
    assert "refused" in with_cookies, "credentials are never allowed"
    embedded = await read(browser, origin, f"{us}/api/unsecure", mode="no-cors")
    assert "refused" in embedded, "nothing of ours may be embedded elsewhere"


async def test_what_a_stranger_reads(browser: Browser, elsewhere: Elsewhere) -> None:
    us = elsewhere.site.settings.public_url
    stranger = elsewhere.origin.replace("127.0.0.1", "localhost")
    bearer = {"Authorization": f"Bearer {elsewhere.person.program.token}"}
    for path in ("/api/unsecure", "/api/v1/me", "/.well-known/jwks.json"):
        assert "refused" in await read(browser, stranger, us + path, headers=bearer), path


@pytest.mark.parametrize("look", [{"width": 1280, "dark": False}, {"width": 360, "dark": True}])
async def test_consent_leads_back_to_the_client(
    browser: Browser, elsewhere: Elsewhere, look: dict[str, Any], tmp_path: Path
) -> None:
    scheme: Any = "dark" if look["dark"] else "light"
    context = await browser.new_context(viewport={"width": look["width"], "height": 800}, color_scheme=scheme)
    page = await context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    client, person = elsewhere.client, elsewhere.person
    query = "&".join(f"{name}={value}" for name, value in client.asks(state="s").items())
    await page.goto(f"{elsewhere.site.settings.public_url}/oauth/authorize?{query.replace(' ', '%20')}")
    await page.get_by_label("Email address").fill(person.email)
    await page.get_by_label("Password", exact=True).fill(person.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("asks for access")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    await page.screenshot(path=tmp_path / "consent.png", full_page=True)
    await page.get_by_role("button", name="Agree").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Back at the reading list")
    assert "code=" in page.url
    assert troubles == []
    await context.close()
