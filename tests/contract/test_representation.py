"""How answers may be asked for: fewer rows, many at once, shorter, compressed, only if changed, only their heads."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from app.ids import new_id
from app.web import openapi
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site

LONG = "Soot, gum and water. " * 200


async def ids_of(program: Program, path: str) -> list[str]:
    """The ids of a list, over all its pages."""
    found, cursor = [], ""
    for _ in range(20):
        answer = await program.get(path + cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
    raise AssertionError("the list does not end")


async def test_entries_by_author_time_and_order(site: Site, program: Program) -> None:
    author = await makers.signed_in(site)
    made = [await makers.entry(author, f"Entry {number}") for number in range(5)]
    own = f"/api/v1/entries?limit=2&author_id={author.id}"
    newest = [entry["id"] for entry in reversed(made)]
    assert await ids_of(program, own) == newest
    assert await ids_of(program, own + "&order=oldest") == newest[::-1]
    middle = made[2]["published_at"].replace("+", "%2B")
    assert await ids_of(program, f"{own}&published_from={middle}") == newest[:3]
    assert await ids_of(program, f"{own}&published_before={middle}") == newest[3:]


async def test_many_entries_in_one_call(site: Site, program: Program) -> None:
    author = await makers.signed_in(site)
    made = [(await makers.entry(author))["id"] for _ in range(3)]
    asked = "&".join(f"ids={identity}" for identity in [*made, str(new_id())])
    answer = (await program.get(f"/api/v1/entries?{asked}")).json()
    assert {item["id"] for item in answer["items"]} == set(made)
    assert answer["next_cursor"] is None
    many = "&".join(f"ids={new_id()}" for _ in range(101))
    assert (await program.get(f"/api/v1/entries?{many}")).status_code in (400, 422)


async def test_documents_by_state_people_and_time(site: Site, charlie: Person) -> None:
    sponsor, editor = await makers.signed_in(site, "sponsor"), await makers.signed_in(site, "editor")
    draft = await makers.document(sponsor)
    given = await makers.document(sponsor, editor)
    program = sponsor.program
    assert await ids_of(program, "/api/v1/documents?limit=1") == [given["id"], draft["id"]]
    assert await ids_of(program, "/api/v1/documents?limit=1&order=oldest") == [draft["id"], given["id"]]
    assert await ids_of(program, "/api/v1/documents?state=draft") == [draft["id"]]
    assert await ids_of(program, f"/api/v1/documents?editor_id={editor.id}") == [given["id"]]
    assert await ids_of(program, f"/api/v1/documents?sponsor_id={charlie.id}") == []
    since = given["updated_at"].replace("+", "%2B")
    assert await ids_of(program, f"/api/v1/documents?updated_since={since}") == [given["id"]]
    both = f"/api/v1/documents?ids={draft['id']}&ids={given['id']}"
    assert set(await ids_of(program, both)) == {draft["id"], given["id"]}
    assert await ids_of(charlie.program, both) == [], "asking by id shows nothing more"


@pytest.mark.parametrize(
    "query", ["order=up", "author_id=x", "published_from=2026-01-01", "limit=0", "ids=x", "sort=x"]
)
async def test_what_no_list_takes(program: Program, query: str) -> None:
    answer = await program.get(f"/api/v1/entries?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [query.partition("=")[0]])


async def test_a_caller_may_want_little_back(site: Site, alice: Person) -> None:
    minimal = {"Prefer": "return=minimal"}
    new = {"title": "Short", "brief": "", "body": ""}
    made = await alice.program.post("/api/v1/documents", new, **minimal)
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["preference-applied"] == "return=minimal"
    path = made.headers["location"]
    shown = await alice.program.get(path)
    assert (shown.json()["title"], shown.headers["etag"]) == ("Short", made.headers["etag"])
    changed = await alice.program.patch(path, {"title": "Shorter"}, If_Match=made.headers["etag"], **minimal)
    assert (changed.status_code, changed.content) == (204, b"")
    assert changed.headers["etag"] != made.headers["etag"]
    whole = await alice.program.post("/api/v1/documents", new, Prefer="respond-async, return=representation")
    assert whole.json()["title"] == "Short"
    key = await alice.program.post("/api/v1/me/keys", {"name": "k", "scopes": ["profile:read"]}, **minimal)
    assert "key" in key.json(), "a key can be shown once only"


async def raw(person: Person, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer with its bytes as they travelled."""
    said = {"Authorization": f"Bearer {person.program.token}"} | headers
    door = httpx.ASGITransport(app=person.site.app)  # type: ignore[arg-type]
    async with (
        httpx.AsyncClient(transport=door, base_url=person.program.base_url) as http,
        http.stream("GET", path, headers=said) as answer,
    ):
        return answer, b"".join([part async for part in answer.aiter_raw()])


async def test_long_answers_are_compressed_for_those_who_can(site: Site) -> None:
    author = await makers.signed_in(site)
    path = f"/api/v1/entries/{(await makers.entry(author, body=LONG))['id']}"
    plain, body = await raw(author, path, **{"Accept-Encoding": "identity"})
    packed, squeezed = await raw(author, path, **{"Accept-Encoding": "br, gzip"})
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["vary"]
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(squeezed) < len(body) / 2
    assert gzip.decompress(squeezed) == body
    assert packed.headers["etag"] != plain.headers["etag"], "a strong validator is of these very bytes"
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        again, nothing = await raw(author, path, **{"If-None-Match": tag, "Accept-Encoding": "gzip"})
        assert (again.status_code, nothing, again.headers["etag"]) == (304, b"", tag)
    refused, whole = await raw(author, path, **{"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    assert whole == body


async def test_a_compressed_validator_changes_documents_too(alice: Person) -> None:
    made = await makers.document(alice, body=LONG)
    path = f"/api/v1/documents/{made['id']}"
    answer, _ = await raw(alice, path, **{"Accept-Encoding": "gzip"})
    assert answer.headers["etag"].endswith('-gzip"')
    changed = await alice.program.patch(path, {"title": "Changed"}, If_Match=answer.headers["etag"])
    assert changed.status_code == 200, changed.text
    stale = await alice.program.patch(path, {"title": "Again"}, If_Match=answer.headers["etag"])
    assert stale.status_code == 412


async def test_secrets_are_never_compressed(site: Site) -> None:
    person = await makers.signed_in(site)
    answer = await person.program.post(
        "/api/v1/auth/refresh", {"refresh_token": person.program.refresh_token}, Accept_Encoding="gzip"
    )
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
    short, _ = await raw(person, "/api/v1/me", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers, "little is not worth it"


async def test_unchanged_lists_are_not_sent_again(site: Site, alice: Person) -> None:
    for path in (f"/api/v1/entries?author_id={alice.id}", "/api/v1/documents?state=cancelled"):
        first = await alice.program.get(path)
        again = await alice.program.get(path, If_None_Match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b""), path
    await makers.entry(alice)
    path = f"/api/v1/entries?author_id={alice.id}"
    changed = await alice.program.get(path, If_None_Match=first.headers["etag"])
    assert changed.status_code == 200


async def test_head_and_options(site: Site, alice: Person) -> None:
    entry = await makers.entry(alice, body=LONG)
    for path in ("/api/unsecure", f"/api/v1/entries/{entry['id']}", "/api/v1/documents", "/.well-known/jwks.json"):
        got = await alice.program.call("GET", path, Accept_Encoding="identity")
        head = await alice.program.call("HEAD", path, Accept_Encoding="identity")
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-length"] == str(len(got.content)), path
        assert head.headers["content-type"] == got.headers["content-type"]
    expected = {
        "/api/unsecure": {"GET", "HEAD", "OPTIONS"},
        "/api/v1/documents": {"GET", "HEAD", "OPTIONS", "POST"},
        f"/api/v1/documents/{new_id()}": {"GET", "HEAD", "OPTIONS", "PATCH"},
        "/oauth/token": {"OPTIONS", "POST"},
    }
    for path, methods in expected.items():
        answer = await site.program().call("OPTIONS", path)
        assert answer.status_code == 200, path
        assert {name.strip() for name in answer.headers["allow"].split(",")} >= methods, path
        refused = await alice.program.call("DELETE", path)
        if "DELETE" not in answer.headers["allow"]:
            assert refused.status_code == 405
            assert "allow" in refused.headers


def test_every_body_has_an_example_and_every_operation_words(site: Site) -> None:
    document = json.loads(json.dumps(_document(site)))
    lacking = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            contents = operation.get("requestBody", {}).get("content", {}).values()
            if any("examples" not in content and content["schema"].get("type") != "string" for content in contents):
                lacking.append(f"{method.upper()} {path} has no example")
            if not operation["summary"] or not operation["responses"]:
                lacking.append(f"{method.upper()} {path} says nothing")
    assert lacking == []


def _document(site: Site) -> dict[str, Any]:
    return openapi.document(site.app)
