"""A cursor belongs to one list, its filters and its order: with any other it is refused like one we never gave out."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from html import unescape

import httpx
import pytest

from app.web.paging import encode_number
from tests import makers
from tests.cast import Cast, Person
from tests.client import Program
from tests.site import Site

# Whose lists, and what else may be asked of each.
LISTS = {
    "/api/v1/entries": ("max", ("order=oldest", "tag=ink")),
    "/api/v1/documents": ("alice", ("order=oldest", "state=draft", "tag=ink")),
    "/api/v1/search?q=parchment": ("alice", ("where=journal", "tag=ink")),
    "/api/v1/me/history": ("alice", ()),
    "/api/v1/me/sessions": ("bob", ()),
    "/api/v1/admin/people": ("ada", ("q=a", "role=sponsor")),
    "/api/v1/admin/audit": ("ada", ("kind=session.opened",)),
    "/api/v1/admin/sessions": ("ada", ("q=a",)),
}


async def first(program: Program, path: str) -> str:
    """The cursor after the first row."""
    answer = await program.get(with_(path, "limit=1"))
    assert answer.status_code == 200, answer.text
    cursor: str = answer.json()["next_cursor"]
    assert cursor, "there is only one row"
    return cursor


def with_(path: str, more: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{more}"


def refused(answer: httpx.Response) -> bool:
    said = answer.json()
    return answer.status_code == 422 and said["errors"] == {
        "cursor": ["This cursor belongs to another list, or to other filters. Ask for the first page."]
    }


@pytest.fixture
async def furnished(cast: Cast, site: Site) -> Cast:
    """At least two rows in every list."""
    for _ in range(2):
        await makers.entry(cast.max, "On parchment")
        await makers.document(cast.alice, cast.bob, title="Of parchment")
        await site.browser().sign_in(cast.bob.email, cast.bob.password)
    return cast


async def test_each_list_goes_on_from_its_own_cursor_with_any_limit(furnished: Cast) -> None:
    for path, (name, _) in LISTS.items():
        who: Person = getattr(furnished, name)
        cursor = await first(who.program, path)
        assert len(cursor) <= 40
        for limit in ("", "&limit=1", "&limit=100"):
            answer = await who.program.get(with_(path, f"cursor={cursor}{limit}"))
            assert answer.status_code == 200, answer.text
            assert answer.json()["items"], path


async def test_no_list_takes_the_cursor_of_another(furnished: Cast) -> None:
    given = {path: await first(getattr(furnished, name).program, path) for path, (name, _) in LISTS.items()}
    for path, (name, _) in LISTS.items():
        who: Person = getattr(furnished, name)
        for other, cursor in given.items():
            answer = await who.program.get(with_(path, f"cursor={cursor}"))
            same = len(cursor) == len(given[path])  # those of another kind are broken for this list in any case
            assert (answer.status_code == 200) if other == path else answer.status_code == 422, (path, other)
            assert other == path or refused(answer) is same, (path, other)


async def test_no_cursor_survives_other_filters_or_another_order(furnished: Cast) -> None:
    for path, (name, others) in LISTS.items():
        who: Person = getattr(furnished, name)
        cursor = await first(who.program, path)
        for more in others:
            assert refused(await who.program.get(with_(path, f"{more}&cursor={cursor}"))), (path, more)


async def test_the_same_list_of_another_document_is_another_list(furnished: Cast) -> None:
    one, other = [(await makers.document(furnished.alice, furnished.bob, "accepted"))["id"] for _ in range(2)]
    for part in ("steps", "versions"):
        path = f"/api/v1/documents/{one}/{part}"
        if part == "versions":
            saved = {"body": "Once more."}
            draft = await makers.document(furnished.alice, furnished.bob)
            path = f"/api/v1/documents/{draft['id']}/versions"
            done = await furnished.bob.program.patch(f"/api/v1/documents/{draft['id']}", saved, If_Match="*")
            assert done.status_code == 200, done.text
        cursor = await first(furnished.alice.program, path)
        assert (await furnished.alice.program.get(with_(path, f"cursor={cursor}"))).status_code == 200
        assert refused(await furnished.alice.program.get(f"/api/v1/documents/{other}/{part}?cursor={cursor}"))


async def test_a_changed_or_cut_cursor_is_none(furnished: Cast) -> None:
    cursor = await first(furnished.max.program, "/api/v1/entries")
    for broken in (
        cursor[:-4],
        cursor + "AAAA",
        cursor + "=",
        "AAAA" + cursor,
        urlsafe_b64encode(bytes(30)).decode(),
        "é",
    ):
        answer = await furnished.max.program.get(f"/api/v1/entries?cursor={broken}")
        assert (answer.status_code, [*answer.json()["errors"]]) == (422, ["cursor"]), broken


async def test_pages_go_on_and_refuse_what_is_another_list(furnished: Cast) -> None:
    ada = furnished.ada.browser
    while not (await furnished.ada.program.get("/api/v1/admin/audit?limit=50")).json()["next_cursor"]:
        await makers.entry(furnished.max)  # until the trail has more than one page, whichever tests came before
    page = (await ada.get("/admin/audit")).text
    (following,) = set(re.findall(r'href="(/admin/audit[?][^"]*cursor=[^"]*)"', page))
    assert (await ada.get(unescape(following))).status_code == 200
    query = unescape(following).partition("?")[2]
    for path in ("/admin/security", "/admin/people", "/admin/documents"):
        assert (await ada.get(f"{path}?{query}")).status_code == 422, path
    assert (await ada.get(f"/admin/audit?kind=session.opened&{query}")).status_code == 422


async def test_a_list_is_the_same_however_its_address_is_written(furnished: Cast) -> None:
    ada, alice = furnished.ada, furnished.alice
    document = await makers.document(alice, furnished.bob)
    saved = await furnished.bob.program.patch(f"/api/v1/documents/{document['id']}", {"body": "Anew."}, If_Match="*")
    assert saved.status_code == 200, saved.text
    for who, one, other in (
        (furnished.max, "/api/v1/entries/", "/api/v1/entries"),
        (ada, "/api/v1/admin/people", "/api/v1/admin/people/"),
        (alice, f"/api/v1/documents/{document['id'].upper()}/versions", f"/api/v1/documents/{document['id']}/versions"),
    ):
        cursor = await first(who.program, one)
        answer = await who.program.get(with_(other, f"cursor={cursor}"))
        assert (answer.status_code, bool(answer.json().get("items"))) == (200, True), (one, other)
    page = (await ada.browser.get("/admin/audit/")).text
    (following,) = set(re.findall(r'href="(/admin/audit[?][^"]*cursor=[^"]*)"', page))
    assert (await ada.browser.get(unescape(following))).status_code == 200


async def test_a_number_that_no_row_can_have_is_no_cursor(furnished: Cast) -> None:
    """There is no secret in a cursor: anybody can make one up."""
    document = await makers.document(furnished.alice, furnished.bob)
    path = f"/api/v1/documents/{document['id']}/versions"
    for number, status in ((1, 200), (2**31, 422), (2**40, 422)):
        async with furnished.alice.site.app.test_request_context(path):
            cursor = encode_number(number)
        answer = await furnished.alice.program.get(f"{path}?cursor={cursor}")
        assert answer.status_code == status, (number, answer.text)
