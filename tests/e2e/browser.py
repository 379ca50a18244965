"""A real Chromium, and visitors in it whose every page is watched: policy reports, console errors, lost requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

from tests.e2e.forms import filled_in, form_token_of
from tests.e2e.people import Person, Secrets

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A report nobody reads is no report: the page itself says what its policy kept from it.
TELL_POLICY = """
addEventListener("securitypolicyviolation", ({effectiveDirective, blockedURI, sourceFile, lineNumber}) =>
  console.error(`policy: ${effectiveDirective} refused ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""
# Playwright itself gives up after five seconds, which a machine busy with other tests may need for a page.
expect.set_options(timeout=20_000)


@asynccontextmanager
async def chromium(program: Path) -> AsyncIterator[Browser]:
    """Run a browser without a window and without errands of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            yield browser
        finally:
            await browser.close()


class Visitor:
    """One browser profile with one page in it; `troubles` is what went wrong on any page it has seen."""

    def __init__(self, context: BrowserContext, page: Page, url: str, known: Secrets) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        self.hosts: set[str] = set()
        self.forgiven: set[int] = set()
        self._known = known
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._on_failed)
        page.on("request", self._on_request)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        forgiven = any(f"status of {status} " in message.text for status in self.forgiven)
        if message.type in ("error", "warning") and not forgiven:
            self.troubles.append(f"{self.page.url}: console {message.type}: {message.text}")

    def _on_failed(self, request: Request) -> None:
        if request.failure == "net::ERR_ABORTED" and "/static/icon" in request.url:
            return  # the browser fetches the icon last, and not at all for a page that is left at once
        if request.failure == "net::ERR_ABORTED" and request.url == f"{self.url}/drafts":
            return  # taken back by the page itself: the save that it makes way for carries the same words
        self.troubles.append(f"{self.page.url}: {request.method} {request.url} failed: {request.failure}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(f"{parts.scheme}://{parts.netloc}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.forgiven:
            self.troubles.append(f"{self.page.url}: {response.request.method} {response.url}: {response.status}")

    async def go(self, path: str) -> None:
        """Open an address of the house and wait until it is loaded."""
        await self.page.goto(self.url + path)

    async def heading(self) -> str:
        """The one first-rank heading of the page."""
        return await self.page.locator("h1").inner_text()

    async def said(self) -> str:
        """What the page says has just happened."""
        return (await self.page.locator(".flashes").inner_text()).strip()

    async def press(self, name: str, *, within: str = "main") -> None:
        """Press the visible button of that name and wait for the page it leads to."""
        async with self.page.expect_navigation():
            await self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    async def register(self, path: str, person: Person) -> None:
        """Fill in one of the three registration pages."""
        self._known.note("password", person.password)
        await self.go(path)
        await self.page.get_by_label("Email address").fill(person.email)
        await self.page.get_by_label("Name", exact=True).fill(person.display_name)
        await self.page.get_by_label("Password", exact=True).fill(person.password)
        await self.page.locator("main form button[type=submit]").click()
        await self.page.wait_for_url("**/login")

    async def sign_in(self, person: Person) -> None:
        """Sign in on the page and remember the cookies given for it."""
        self._known.note("password", person.password)
        await self.go("/login")
        await self.page.get_by_label("Email address").fill(person.email)
        await self.page.get_by_label("Password", exact=True).fill(person.password)
        await self.press("Sign in")
        await self.note_cookies()

    async def enter(self, person: Person) -> None:
        """Sign in by the same form but without drawing its page, where signing in is not what is looked at."""
        self._known.note("password", person.password)
        asked = self.context.request
        form = filled_in(person, form_token_of(await (await asked.get(f"{self.url}/login")).text(), self._known))
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.url}
        answer = await asked.post(f"{self.url}/login", data=form, headers=kind, max_redirects=0)
        assert answer.status == 303, await answer.text()
        await self.note_cookies()

    async def note_cookies(self) -> None:
        """Remember what the cookies hold now: each of them is a credential."""
        for cookie in await self.context.cookies():
            self._known.note(f"cookie {cookie.get('name')}", str(cookie.get("value")))

    async def stored(self) -> dict[str, Any]:
        """What scripts of the page have put into the browser's storage."""
        found: dict[str, Any] = await self.page.evaluate(
            "async () => ({local: {...localStorage}, session: {...sessionStorage}, bases: await indexedDB.databases()})"
        )
        return {name: value for name, value in found.items() if value}

    def check(self) -> None:
        """Fail when anything went wrong, or any host but the house was asked."""
        assert not self.troubles, "\n".join(self.troubles)
        assert self.hosts <= {self.url}, self.hosts


Visitors = Callable[..., Any]


@asynccontextmanager
async def visitors(browser: Browser, url: str, known: Secrets) -> AsyncIterator[Visitors]:
    """Let people in: the function given away opens a profile of its own, whose pages must be without trouble."""
    inside: list[Visitor] = []

    async def come(*, dark: bool = False, width: int = 1280, **profile: Any) -> Visitor:
        context = await browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            **profile,
        )
        await context.add_init_script(TELL_POLICY)
        visitor = Visitor(context, await context.new_page(), url, known)
        inside.append(visitor)
        return visitor

    try:
        yield come
    finally:
        for visitor in inside:
            await visitor.note_cookies()
            await visitor.context.close()
    for visitor in inside:
        visitor.check()
