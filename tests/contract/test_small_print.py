"""What programs find in the small print of HTTP: challenges, empty bodies, and lists that page everywhere."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site

# Lists that are read whole: a page of them is cut in memory, by the same rules as everywhere.
SMALL_LISTS = ("/api/v1/me/sessions", "/api/v1/me/sign-ins", "/api/v1/me/keys", "/api/v1/me/clients")


async def test_protected_takes_basic_and_nothing_else(max: Person) -> None:
    answer = await max.program.get("/protected")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


async def test_a_missing_token_and_a_bad_one_are_told_apart(program: Program) -> None:
    assert (await program.get("/api/secure")).headers["WWW-Authenticate"] == "Bearer"
    bad = await program.call("GET", "/api/secure", token="nothing.of.ours")
    assert (bad.status_code, bad.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_a_refusal_names_the_scope_that_is_missing(program: Program, max: Person) -> None:
    made = await max.program.post("/api/v1/me/keys", {"name": "reader", "scopes": ["entries:read"]})
    answer = await program.call("GET", "/protected_data", token=made.json()["key"])
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="protected:read"'


@pytest.mark.parametrize("kind", ["", "application/json"])
async def test_a_step_needs_no_body_whatever_it_is_called(alice: Person, bob: Person, kind: str) -> None:
    made = await makers.document(alice, editor=bob)
    answer = await bob.program.raw("POST", f"/api/v1/documents/{made['id']}/hand-in", b"", Content_Type=kind)
    assert (answer.status_code, answer.json()["state"]) == (200, "handed_in")
    assert (await bob.program.raw("POST", f"/api/v1/documents/{made['id']}/hand-in", b"{")).status_code == 400


async def test_an_oauth_request_without_a_body_is_answered_as_one_without_a_client(program: Program) -> None:
    answer = await program.call("POST", "/oauth/token", token="")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", SMALL_LISTS)
async def test_small_lists_page_as_the_others_do(site: Site, path: str) -> None:
    person = await makers.signed_in(site)
    for number in range(2):
        await site.browser().sign_in(person.email, person.password)
        await site.program().sign_in(person.email, person.password)
        await person.program.post("/api/v1/me/keys", {"name": f"key {number}", "scopes": ["entries:read"]})
        await person.program.post("/api/v1/me/clients", {"name": f"client {number}"})
    whole = (await person.program.get(path)).json()["items"]
    found: list[object] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        answer = (await person.program.get(f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else ""))).json()
        found, cursor, pages = found + answer["items"], answer["next_cursor"], pages + 1
    assert found == whole
    assert pages == len(whole) >= 1


@pytest.mark.parametrize("path", [*SMALL_LISTS, "/api/v1/me/applications", "/api/v1/entries", "/api/v1/me/history"])
async def test_no_list_takes_a_cursor_or_a_size_that_is_none(max: Person, path: str) -> None:
    short = urlsafe_b64encode(bytes(16)).decode()
    for asked in ("limit=0", "limit=101", "limit=abc", "cursor=abc", f"cursor={short}", "nonsense=1"):
        answer = await max.program.get(f"{path}?{asked}")
        assert (answer.status_code, [*answer.json()["errors"]]) == (422, [asked.partition("=")[0]]), asked
