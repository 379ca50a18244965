"""Commissioning a document, by page and API: who may, what is kept, what is refused."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.site import Site

UUID_PATH = re.compile(r"/sponsor/documents/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def test_by_page(site: Site, alice: Person, bob: Person) -> None:
    form = {"title": "On <ink>", "brief": "Ten pages.", "body": "# Ink\r\n", "editor_id": str(bob.id)}
    page = await alice.browser.get("/sponsor/newdocument")
    assert f'value="{bob.id}"' in page.text
    answer = await alice.browser.post("/sponsor/newdocument", form)
    assert answer.status_code == 303
    assert UUID_PATH.fullmatch(answer.headers["location"])
    shown = (await alice.browser.follow(answer)).text
    assert "On &lt;ink&gt;" in shown
    assert "Ten pages." in shown
    document_id = answer.headers["location"].rpartition("/")[2]
    as_json = (await alice.program.get(f"/api/v1/documents/{document_id}")).json()
    assert (as_json["state"], as_json["editor_id"], as_json["body"]) == ("in_progress", str(bob.id), "# Ink\n")
    assert [event.kind for event in await site.events(document_id)] == ["document.commissioned"]


async def test_by_program(alice: Person, bob: Person) -> None:
    new = {"title": "On ink", "brief": "Ten pages.", "body": "# Ink", "editor_id": str(bob.id)}
    made = await alice.program.post("/api/v1/documents", new)
    assert made.status_code == 201
    shown = made.json()
    assert {name: shown[name] for name in new} == new
    assert (shown["state"], shown["version"], shown["sponsor_id"]) == ("in_progress", 1, str(alice.id))
    assert UUID(shown["id"]).version == 7
    assert shown["created_at"] == shown["updated_at"]
    assert made.headers["etag"] == '"1"'
    assert made.headers["location"] == f"/api/v1/documents/{shown['id']}"
    assert (await alice.program.get(made.headers["location"])).json() == shown


async def test_without_an_editor_it_is_a_draft(alice: Person) -> None:
    for extra in ({}, {"editor_id": None}):
        made = await alice.program.post("/api/v1/documents", {"title": "Alone", **extra})
        assert (made.json()["state"], made.json()["editor_id"], made.json()["body"]) == ("draft", None, "")
    answer = await alice.browser.post("/sponsor/newdocument", {"title": "Alone", "editor_id": ""})
    assert answer.status_code == 303


async def test_only_an_active_editor_can_be_given_work(site: Site, alice: Person, max: Person) -> None:
    suspended = await makers.person(site, "editor", status="suspended")
    for editor_id in (suspended.id, max.id, alice.id, uuid4()):
        refused = await alice.program.post("/api/v1/documents", {"title": "No", "editor_id": str(editor_id)})
        assert refused.status_code == 422
        assert refused.json()["errors"].keys() == {"editor_id"}
        page = await alice.browser.post("/sponsor/newdocument", {"title": "No", "editor_id": str(editor_id)})
        assert page.status_code == 422
        assert 'id="editor_id-error"' in page.text
    page = await alice.browser.post("/sponsor/newdocument", {"title": "No", "editor_id": "not an id"})
    assert page.status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("title", "a\u0085b"),
        ("brief", "x" * 20_001),
        ("body", "x" * 500_001),
        ("editor_id", "nobody"),
        ("editor_id", ""),
        ("sponsor_id", "0197b8c4-0000-7000-8000-000000000000"),
        ("state", "published"),
        ("version", 7),
    ],
)
async def test_what_a_program_may_not_send(site: Site, alice: Person, field: str, value: object) -> None:
    before = await site.counts()
    refused = await alice.program.post("/api/v1/documents", {"title": "Fine", field: value})
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == {field}
    assert await site.counts() == before


async def test_the_form_keeps_what_was_typed(alice: Person) -> None:
    form = {"title": "", "brief": "Kept </textarea> brief", "body": "Kept body", "editor_id": ""}
    page = await alice.browser.post("/sponsor/newdocument", form)
    assert page.status_code == 422
    assert "Kept &lt;/textarea&gt; brief" in page.text
    assert "Kept body" in page.text
    assert 'id="title-error"' in page.text


async def test_only_sponsors_commission(cast: Cast) -> None:
    new = {"title": "Mine"}
    for who in (cast.bob, cast.max, cast.ada):
        assert (await who.program.post("/api/v1/documents", new)).status_code == 403
        assert (await who.browser.get("/sponsor/newdocument")).status_code == 403
        assert (await who.browser.post("/sponsor/newdocument", new, page="/account")).status_code == 403
    assert (await cast.visitor.program.post("/api/v1/documents", new)).status_code == 401
    assert (await cast.visitor.browser.get("/sponsor/newdocument")).status_code == 303


async def test_half_a_million_characters_by_page(alice: Person) -> None:
    body = "字" * 500_000
    answer = await alice.browser.post("/sponsor/newdocument", {"title": "Long", "body": body})
    assert answer.status_code == 303
    found = await alice.program.get("/api/v1/documents/" + answer.headers["location"].rpartition("/")[2])
    assert found.json()["body"] == body
