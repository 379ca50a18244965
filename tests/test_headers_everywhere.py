"""Every kind of answer carries the security headers and a request id, and says nothing about the server behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from quart import Quart

from app.web.headers import security_headers
from tests.cast import Cast
from tests.site import Site, running

# What a route may say in its own words, and why: static files and public documents may be kept by caches.
FORM = "application/x-www-form-urlencoded"
MAY_DIFFER = {"cache-control"}
Ask = Callable[[Site, Cast], Awaitable[httpx.Response]]


async def blocks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536 + 1):
        yield b"x" * 65536


async def forbidden_form(site: Site, cast: Cast) -> httpx.Response:
    return await cast.alice.browser.send("/sponsor/newdocument", {"title": "x"})


async def bad_host(site: Site, cast: Cast) -> httpx.Response:
    return await site.browser().http.get("/", headers={"Host": "evil.example"})


KINDS: dict[str, tuple[int, Ask]] = {
    "a page": (200, lambda site, cast: site.browser().get("/")),
    "a page of one's own": (200, lambda site, cast: cast.alice.browser.get("/sponsor/dashboard")),
    "the console": (200, lambda site, cast: site.browser().get("/console")),
    "a static file": (200, lambda site, cast: site.browser().get("/static/site.css")),
    "a static file that is not there": (404, lambda site, cast: site.browser().get("/static/nope.css")),
    "a static file somebody has": (304, lambda site, cast: held(site)),
    "a library's file": (200, lambda site, cast: site.browser().get("/docs/assets/swagger-ui-bundle.js")),
    "no page": (404, lambda site, cast: site.browser().get("/nope")),
    "no page, with odd letters": (404, lambda site, cast: site.browser().get("/nöpe/%3Cscript%3E")),
    "no JSON": (404, lambda site, cast: site.program().get("/api/nope")),
    "a wrong method on a page": (405, lambda site, cast: site.browser().http.put("/register")),
    "a wrong method for a program": (405, lambda site, cast: site.program().post("/api/secure")),
    "a method nobody knows": (405, lambda site, cast: site.browser().http.request("BREW", "/")),
    "TRACE": (405, lambda site, cast: site.browser().http.request("TRACE", "/")),
    "a body declared too large": (413, lambda site, cast: site.browser().http.post("/login", content=b"x" * 70_000)),
    "a body that turns out too large": (
        413,
        lambda site, cast: site.browser().http.post("/login", content=blocks(70_000), headers={"Content-Type": FORM}),
    ),
    "too large for a program": (413, lambda site, cast: site.program().raw("POST", "/api/login", b" " * 300_000)),
    "chunks too many for a program": (
        413,
        lambda site, cast: site.program().http.post(
            "/api/login", content=blocks(300_000), headers={"Content-Type": "application/json"}
        ),
    ),
    "no credentials": (401, lambda site, cast: site.program().get("/api/secure")),
    "no Basic credentials": (401, lambda site, cast: site.program().get("/protected")),
    "a visitor at a closed page": (303, lambda site, cast: site.browser().get("/entry")),
    "a room of others": (403, lambda site, cast: cast.bob.browser.get("/sponsor/dashboard")),
    "a room of others, for a program": (403, lambda site, cast: cast.bob.program.get("/api/v1/admin/people")),
    "a form without its token": (403, forbidden_form),
    "fields that will not do": (422, lambda site, cast: site.program().post("/api/login", {})),
    "a sign-in that fails": (401, lambda site, cast: site.browser().sign_in("a@b.example", "x")),
    "malformed JSON": (400, lambda site, cast: site.program().raw("POST", "/api/login", b"{")),
    "a foreign host": (421, bad_host),
    "HEAD": (200, lambda site, cast: site.browser().http.head("/")),
    "OPTIONS": (200, lambda site, cast: site.browser().http.options("/")),
    "health": (200, lambda site, cast: site.program().get("/health/live")),
    "keys": (200, lambda site, cast: site.program().get("/.well-known/jwks.json")),
    "the OpenAPI document": (200, lambda site, cast: site.program().get("/api/openapi.json")),
}


async def held(site: Site) -> httpx.Response:
    first = await site.browser().get("/static/site.css")
    return await site.browser().get("/static/site.css", headers={"If-None-Match": first.headers["etag"]})


def check(answer: httpx.Response, *, https: bool = False) -> None:
    for name, value in security_headers(https=https).items():
        assert len(answer.headers.get_list(name)) == 1, name
        if name not in MAY_DIFFER:
            assert answer.headers[name] == value, name
    assert len(answer.headers["x-request-id"]) >= 16
    assert "server" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("x-powered")]
    if answer.status_code not in (204, 304) and answer.content:
        kind = answer.headers["content-type"]
        assert "charset" in kind or not kind.startswith("text/")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_answer(site: Site, cast: Cast, kind: str) -> None:
    status, ask = KINDS[kind]
    answer = await ask(site, cast)
    assert answer.status_code == status, answer.text[:300]
    check(answer)


async def test_ids_are_ours_and_never_the_same(site: Site) -> None:
    browser = site.browser()
    ids = {(await browser.http.get("/", headers={"X-Request-ID": "mine"})).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5
    assert "mine" not in ids


async def test_error_pages_show_their_request_id_and_nothing_else(site: Site, cast: Cast) -> None:
    for answer in (
        await site.browser().get("/nope"),
        await cast.bob.browser.get("/sponsor/dashboard"),
        await site.browser().http.put("/register"),
    ):
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-request-id"] in answer.text
        for word in ("Traceback", "werkzeug", "quart", "python", "site-packages", "asyncpg"):
            assert word not in answer.text.lower()


async def test_a_fault_of_ours_tells_nobody_anything(site: Site) -> None:
    """A view that fails is answered with 500, headers and id, by page or problem, and its exception stays in the log."""

    async def fail() -> str:
        raise RuntimeError("the words of the house")

    def plant(app: Quart) -> None:
        app.add_url_rule("/boom", "page_that_fails", fail)
        app.add_url_rule("/api/boom", "route_that_fails", fail)

    async with running(site.stack, prepare=plant) as failing:
        page, problem = await failing.browser().get("/boom"), await failing.program().get("/api/boom")
    for answer, kind in ((page, "text/html"), (problem, "application/problem+json")):
        assert answer.status_code == 500
        check(answer)
        assert "the words of the house" not in answer.text
        assert answer.headers["x-request-id"] in answer.text
        assert answer.headers["content-type"].startswith(kind)


async def test_over_tls_browsers_are_told_to_stay(site: Site, cast: Cast) -> None:
    """With an https public URL: HSTS, `Secure` and `__Host-` on every cookie, and no plain http."""
    async with running(site.stack, PUBLIC_URL="https://127.0.0.1:5000") as secure:
        browser = secure.browser()
        for path, status in (("/", 200), ("/nope", 404), ("/static/site.css", 200), ("/api/secure", 401)):
            answer = await browser.get(path)
            assert answer.status_code == status
            check(answer, https=True)
        alice = replace(cast.alice, site=secure)
        answer = await alice.browser.sign_in(alice.email, alice.password)
        assert answer.status_code == 303
        cookies = answer.headers.get_list("set-cookie")
        assert cookies
        for cookie in cookies:
            attributes = {part.strip().lower() for part in cookie.split(";")}
            assert cookie.startswith("__Host-")
            assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
        assert (await alice.browser.get("/sponsor/dashboard")).status_code == 200
