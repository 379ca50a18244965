"""Every main page for everybody: no serious finding of axe-core in light and dark, nothing cut off on a phone, and
all of it by keyboard.  With PICTURES naming a folder, each page is photographed on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files

import pytest
from playwright.async_api import FloatRect, Page, expect

from tests.e2e.browser import Visitor, Visitors
from tests.e2e.people import Cast

WIDE, NARROW = 1280, 360
TALLEST_PICTURE = 2400
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
# axe-core made quicker, with the same findings: rules whose findings are never serious rest, and of the few colours of
# a page each is read once and not for every piece of text.
QUICKER = """() => {
  const mild = axe._audit.rules.filter(({impact}) => ["minor", "moderate"].includes(impact));
  axe.configure({rules: mild.map(({id}) => ({id, enabled: false}))});
  const {Color} = axe.commons.color, {parseString} = Color.prototype, read = new Map();
  Color.prototype.parseString = function (words) {
    if (!read.has(words)) read.set(words, parseString.call(new Color(), words));
    const {r, g, b, alpha} = read.get(words);
    return Object.assign(this, {r, g, b, alpha});
  };
}"""
PICTURES = os.environ.get("PICTURES")
# Swagger UI puts links into the buttons of its list; that is its makers' to mend, and all else on the page is ours.
NOT_OURS = {"docs": {"nested-interactive"}}
WIDER_THAN_THE_SCREEN = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
STICKING_OUT = """() => [...document.querySelectorAll("body *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .filter((node) => !node.closest(".table-scroll, pre, .unseen, .skip"))
  .map((node) => node.outerHTML.slice(0, 120))"""


PAGES = {
    "nobody": {
        "journal": "/",
        "entry": "/entry/{entry_id}",
        "tags": "/tags",
        "register": "/register",
        "apply-editor": "/signupeditor",
        "sign-in": "/login",
        "console": "/console",
        "docs": "/docs",
        "security-policy": "/security-policy",
        "missing": "/nope",
    },
    "applicant": {"waiting": "/account/status"},
    "member": {
        "write": "/entry",
        "drafts": "/drafts",
        "entries": "/entries",
        "edit-entry": "/entry/{entry_id}/edit",
        "entry-versions": "/entry/{entry_id}/versions",
        "account": "/account",
        "sessions": "/account/sessions",
        "leave": "/logout",
    },
    "sponsor": {
        "commissions": "/sponsor/dashboard",
        "documents": "/sponsor/documents",
        "new-document": "/sponsor/newdocument",
        "document-sponsor": "/sponsor/documents/{document_id}",
    },
    "editor": {"assignments": "/editor/dashboard", "document-editor": "/editor/documents/{document_id}"},
    "admin": {
        "admin": "/admin/",
        "queue": "/admin/queue",
        "people": "/admin/people",
        "audit": "/admin/audit",
        "security": "/admin/security",
    },
}


async def photograph(page: Page, name: str) -> None:
    """Keep a picture of the page if somebody wants pictures."""
    if PICTURES:
        await page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")  # pictures do not scroll
        size = await page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = FloatRect(x=0, y=0, width=size[0], height=min(size[1], TALLEST_PICTURE))
        await page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True, clip=clip, animations="disabled")


async def findings(page: Page, name: str, *, rules: Sequence[str] = (), without: str = "") -> list[str]:
    """What axe-core calls serious or critical, in one line each; `rules` and `without` narrow what it looks at."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE)
        await page.evaluate(QUICKER)
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    place = {"exclude": [without]} if without else {}
    results = await page.evaluate(
        "([place, options]) => axe.run({include: ['html'], ...place}, options)", [place, options]
    )
    return [
        f"{name}: {violation['id']}: {node['target']} {node['html'][:150]} {node.get('failureSummary', '')[:300]}"
        for violation in results["violations"]
        if violation["impact"] in ("serious", "critical") and violation["id"] not in NOT_OURS.get(name, ())
        for node in violation["nodes"]
    ]


async def in_every_light(visitor: Visitor, name: str) -> list[str]:
    """Look at one open page wide and narrow, by day and by night; return what is wrong with it."""
    page, wrong, seen = visitor.page, [], ""
    if await page.locator("h1:visible").count() != 1 and name != "docs":
        wrong.append(f"{name} has not one first-rank heading")
    for width in (WIDE, NARROW):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme="light")
        await photograph(page, f"{name}-light-{width}")
        if await page.evaluate(WIDER_THAN_THE_SCREEN) > 0:
            wrong += [f"{name} at {width} sticks out: {node}" for node in await page.evaluate(STICKING_OUT)]
        wrong += await findings(page, name, without=seen)
        seen = "#swagger"  # a white sheet, long, and the same by night and on a phone
        if PICTURES or width == NARROW:
            await page.emulate_media(color_scheme="dark")
            await photograph(page, f"{name}-dark-{width}")
    wrong += await findings(page, name, rules=["color-contrast"], without=seen)  # by night only colours are others
    return wrong


@pytest.mark.parametrize("role", PAGES)
async def test_every_page_is_for_everybody(come: Visitors, cast: Cast, role: str) -> None:
    visitor, wrong = await come(), []
    if role != "nobody":
        await visitor.enter(getattr(cast, role))
    for name, path in PAGES[role].items():
        visitor.forgiven = {404} if name == "missing" else set()
        await visitor.go(path.format(entry_id=cast.entry_id, document_id=cast.document_id))
        if name == "docs":
            await expect(visitor.page.locator(".swagger-ui .opblock").first).to_be_visible()
        wrong += await in_every_light(visitor, name)
    assert not wrong, "\n".join(wrong)


async def test_signing_in_needs_no_mouse(come: Visitors, cast: Cast) -> None:
    visitor = await come()
    page = visitor.page
    await visitor.go("/login")
    await page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert await skip.inner_text() == "Skip to the content"
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"

    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "email"
    await page.keyboard.type(cast.member.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(cast.member.password)
    await page.keyboard.press("Tab")
    assert await page.locator(":focus").get_attribute("aria-label") == "Show password"
    await page.keyboard.press("Tab")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline not in ("none", ""), "the focused button must be seen"
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()


async def test_a_wrong_form_leads_to_what_is_wrong(come: Visitors) -> None:
    visitor = await come()
    visitor.forgiven = {422}
    await visitor.go("/register")
    await visitor.page.get_by_label("Email address").fill("nobody@nowhere")
    await visitor.page.get_by_label("Name", exact=True).fill("Somebody")
    await visitor.page.get_by_label("Password", exact=True).fill("much too short but long")
    await visitor.press("Register")
    summary = visitor.page.get_by_role("alert")
    await expect(summary).to_be_focused()
    assert await findings(visitor.page, "register") == []
    await summary.get_by_role("link").first.click()
    await expect(visitor.page.get_by_label("Email address")).to_be_focused()
    await expect(visitor.page.get_by_label("Name", exact=True)).to_have_value("Somebody")
    await expect(visitor.page.get_by_label("Password", exact=True)).to_have_value("")
