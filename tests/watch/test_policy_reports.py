"""Reports of browsers about the content policy: taken in both forms, kept in few words, and never too many."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.watch import service
from app.watch.recorder import VIOLATIONS, Watch
from app.watch.reports import Violation, violations
from app.watch.writing import WatchBook
from app.web.headers import security_headers
from tests.cast import Person
from tests.client import Program
from tests.site import Site, running

URL = "/api/csp-reports"
SEEN = "/api/v1/admin/security/policy-reports"
LEGACY, MODERN = "application/csp-report", "application/reports+json"


def legacy(page: str = "/login", **more: object) -> bytes:
    said = {
        "document-uri": f"http://127.0.0.1:5000{page}",
        "effective-directive": "script-src-elem",
        "blocked-uri": "https://evil.example/x.js?secret=1",
        "line-number": 7,
        **more,
    }
    return orjson.dumps({"csp-report": said})


def modern(*pages: str) -> bytes:
    bodies = [
        {
            "documentURL": f"http://127.0.0.1:5000{page}",
            "effectiveDirective": "img-src",
            "blockedURL": "inline",
            "sourceFile": f"http://127.0.0.1:5000{page}",
            "lineNumber": 3,
        }
        for page in pages
    ]
    return orjson.dumps(
        [{"type": "csp-violation", "age": 1, "url": "x", "user_agent": "x", "body": body} for body in bodies]
        + [{"type": "deprecation", "body": {"id": "x"}}]
    )


async def seen(site: Site, admin: Person) -> list[dict[str, Any]]:
    await site.app.extensions[WatchBook.__name__].write()
    found: list[dict[str, Any]] = (await admin.program.get(SEEN)).json()["items"]
    return found


async def test_both_forms_are_taken_and_gathered(site: Site, ada: Person, program: Program) -> None:
    await seen(site, ada)
    await site.change("DELETE FROM policy_reports")
    for _ in range(3):
        assert (await program.raw("POST", URL, legacy(), Content_Type=LEGACY)).status_code == 204
    answer = await program.raw("POST", URL, modern("/entry", "/entry?draft=1"), Content_Type=MODERN + "; charset=utf-8")
    assert answer.status_code == 204
    assert not answer.headers.get("set-cookie")
    found = {item["page"]: item for item in await seen(site, ada)}
    assert found.keys() == {"/login", "/entry"}
    assert found["/login"] | {"first_at": "", "last_at": ""} == {
        "page": "/login",
        "directive": "script-src-elem",
        "blocked": "https://evil.example",
        "source": "",
        "line": 7,
        "count": 3,
        "first_at": "",
        "last_at": "",
    }
    assert (found["/entry"]["count"], found["/entry"]["source"]) == (2, "/entry")
    assert "secret" not in str(found)
    page = (await ada.browser.get("/admin/security")).text
    assert "script-src-elem" in page


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (legacy(), "text/plain", 415),
        (legacy(), "", 415),
        (b"{", LEGACY, 400),
        (b"[]", LEGACY, 422),
        (b"{}", MODERN, 422),
        (b'{"csp-report": 5}', LEGACY, 422),
        (legacy("/", **{"script-sample": "x" * 17_000}), LEGACY, 413),
        (b"[" * 5000, MODERN, 400),
        (b'[{"type": "csp-violation", "body": 5}, 7]', MODERN, 204),
        (legacy("/", **{"line-number": True, "effective-directive": 9}), LEGACY, 204),
    ],
)
async def test_bad_input(program: Program, body: bytes, kind: str, status: int) -> None:
    assert (await program.raw("POST", URL, body, Content_Type=kind)).status_code == status


async def test_an_address_may_send_so_many(site: Site) -> None:
    async with running(site.stack, LIMIT_REPORTS="3/minute") as small:
        program = small.program("198.51.100.4")
        statuses = [(await program.raw("POST", URL, legacy(), Content_Type=LEGACY)).status_code for _ in range(4)]
        assert statuses == [204, 204, 204, 429]
        assert (await small.program("198.51.100.5").raw("POST", URL, legacy(), Content_Type=LEGACY)).status_code == 204


async def test_there_are_never_too_many(site: Site, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await seen(site, ada)
    await site.change("DELETE FROM policy_reports")
    monkeypatch.setattr(service, "MOST_REPORTS", 5)
    watch = Watch()
    book = WatchBook(watch, site.resources.database)
    for number in range(VIOLATIONS + 20):
        watch.report(Violation(f"/{number}", "img-src", "inline", "", 0))
    assert len(watch.take()[1]) == VIOLATIONS
    for number in range(9):
        watch.report(Violation(f"/{number}", "img-src", "inline", "", 0))
        await book.write()
    watch.report(Violation("/1", "img-src", "inline", "", 0))
    await book.write()
    found = {item["page"]: item["count"] for item in await seen(site, ada)}
    assert found == {"/0": 1, "/1": 2, "/2": 1, "/3": 1, "/4": 1}


def test_what_is_read_of_addresses() -> None:
    def page_of(address: str) -> list[str]:
        report = {"document-uri": address, "effective-directive": "img-src"}
        return [found.page for found in violations({"csp-report": report}, {"https://house.example"})]

    assert page_of("https://house.example/a?token=1#x") == ["/a"]
    assert page_of("https://house.example") == ["/"]
    assert page_of(f"https://house.example/reset/{'k' * 43}") == ["/reset/..."]
    assert page_of("https://user:word@house.example/a") == ["/a"]
    assert page_of("https://other.example/a") == []
    assert page_of("https://[broken/a") == []
    assert page_of("about:blank") == []
    assert page_of("https://house.example/a\n\x1b[31m\u202e") == ["/a[31m"]


async def test_every_answer_names_the_endpoint(program: Program) -> None:
    for path in ("/", "/nowhere", "/api/unsecure", "/static/site.css"):
        headers = (await program.get(path)).headers
        assert headers["content-security-policy"].endswith(f"report-uri {URL}")
        assert "reporting-endpoints" not in headers, "browsers would then deliver over TLS only"


def test_over_tls_it_is_named_the_newer_way_as_well() -> None:
    headers = security_headers(https=True)
    assert headers["reporting-endpoints"] == f'csp="{URL}"'
    assert headers["content-security-policy"].endswith(f"report-uri {URL}; report-to csp")
