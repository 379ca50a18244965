"""The rules for every answer notice what they are for; `tests.recorded` holds them on all answers of the suite."""

from __future__ import annotations

import secrets

import httpx
import pytest
from quart import Quart

from app.factory import create_app
from app.settings import Settings
from app.web.headers import security_headers
from tests.cast import Cast
from tests.recorded import RECORDED, Recorded
from tests.site import Site

PAGE = "text/html; charset=utf-8"
SITE = "http://127.0.0.1:5000"


@pytest.fixture(scope="module")
def app() -> Quart:
    return create_app(Settings.from_environment({}))


def faults(
    app: Quart, path: str = "/login", body: str = "<p>Hello.</p>", site: str = SITE, status: str = "200", **changed: str
) -> set[str]:
    """What is wrong with an answer that is good but for `changed`; an empty header is left out."""
    good = {**security_headers(https=site.startswith("https")), "content-type": PAGE, "x-request-id": "x" * 20}
    given = good | {name.replace("_", "-"): value for name, value in changed.items()}
    recorded = Recorded()
    kept = [(name, value) for name, value in given.items() if value]
    recorded.note(
        app, httpx.Request("GET", f"{site}{path}"), httpx.Response(int(status), headers=kept, content=body.encode())
    )
    return {fault.partition(": ")[2] for fault in recorded.faults}


def test_good_answers_pass(app: Quart) -> None:
    assert faults(app) == set()
    assert faults(app, site="https://127.0.0.1:5000") == set()
    assert faults(app, "/", cache_control="public, no-cache") == set()
    assert faults(app, "/api/v1/me", cache_control="private, no-cache", content_type="application/json") == set()
    assert faults(app, body='<a href="https://elsewhere.example">out</a><script src="/static/a.js"></script>') == set()
    cookie = "__Host-x=1; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert faults(app, site="https://127.0.0.1:5000", set_cookie=cookie) == set()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"x_frame_options": ""}, "x-frame-options is there 0 times"),
        ({"referrer_policy": "unsafe-url"}, "referrer-policy: unsafe-url is declared nowhere"),
        ({"cache_control": "public, max-age=5"}, "cache-control: public, max-age=5 is declared nowhere"),
        ({"strict_transport_security": "max-age=1"}, "HSTS over plain http"),
        ({"clear_site_data": '"cache"'}, "clear-site-data is declared nowhere"),
        ({"x_request_id": ""}, "no request id"),
        ({"server": "quart"}, "server is told"),
        ({"content_type": ""}, "no content type"),
        ({"content_type": "text/html"}, "text/html without its charset"),
        ({"set_cookie": "a=1; Path=/; SameSite=Lax"}, "cookie a without HttpOnly"),
        ({"set_cookie": "a=1; Path=/; HttpOnly"}, "cookie a without SameSite"),
        ({"set_cookie": "a=1; HttpOnly; SameSite=Lax"}, "cookie a for another path or host"),
        ({"set_cookie": "a=1; Path=/; Domain=x.example; HttpOnly; SameSite=Lax"}, "cookie a for another path or host"),
    ],
)
def test_a_header_that_is_wrong(app: Quart, changed: dict[str, str], fault: str) -> None:
    assert fault in faults(app, **changed)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="//elsewhere.example/a.js"></script>', "loads //elsewhere.example/a.js"),
        ('<img alt="" src=http://127.0.0.1:5001/a.png>', "loads http://127.0.0.1:5001/a.png"),
        ("<script>1</script>", "inline: <script"),
        ('<p class="x" onclick="1">', 'inline: <p class="" onclick='),
        ('<p style="color:red">', "inline: <p style="),
    ],
)
def test_a_page_that_loads_what_it_should_not(app: Quart, body: str, fault: str) -> None:
    assert fault in faults(app, body=body)


def test_secrets_where_they_do_not_belong(app: Quart) -> None:
    key = "scr_" + secrets.token_urlsafe(30)
    assert "a secret in an address" in faults(app, body=f'<a href="/x?key={key}">x</a>')
    assert "a secret in an address" in faults(app, status="303", location=f"/x?key={key}")
    recorded, value = Recorded(), secrets.token_urlsafe(32)
    given = {**security_headers(https=False), "content-type": PAGE, "x-request-id": "x" * 20}
    cookie = {"set-cookie": f"scriptorium={value}; Path=/; HttpOnly; SameSite=Lax"}
    request = httpx.Request("GET", f"{SITE}/login")
    recorded.note(app, request, httpx.Response(200, headers={**given, **cookie}, text="<p>in</p>"))
    assert recorded.faults == set()
    recorded.note(app, request, httpx.Response(200, headers=given, text=f"<p>{value}</p>"))
    assert recorded.faults == {"GET /login answered 200: a session id outside of its cookie"}


def test_errors_that_show_the_inside(app: Quart) -> None:
    shown = faults(app, status="500", body="Traceback (most recent call last)")
    assert "an error shows Traceback (most recent call last)" in shown


def test_caches_of_others(app: Quart) -> None:
    given = {"cache_control": "public, no-cache", "set_cookie": "a=1; Path=/; HttpOnly; SameSite=Lax"}
    assert faults(app, "/", **given) == {"a cookie others may keep"}
    assert "a closed route lets others keep its answer" in faults(app, "/account", cache_control="public, no-cache")


def test_over_https_cookies_are_bound_to_the_host(app: Quart) -> None:
    cookie = "a=1; Path=/; HttpOnly; SameSite=Lax; Secure"
    found = faults(app, site="https://127.0.0.1:5000", set_cookie=cookie)
    assert found == {"cookie a without Secure and __Host-"}


async def test_it_hears_every_answer(site: Site, cast: Cast) -> None:
    before = RECORDED.seen["/account"]
    await cast.alice.browser.get("/account")
    assert RECORDED.seen["/account"] == before + 1
    issued = next(rule.issued for rule in RECORDED.rules if hasattr(rule, "issued"))
    assert len(issued) >= 9, "the session ids of the cast were not noticed"
