"""Talking about a document: comments, passages that are found again, replies, resolving, and who is told."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from app.documents.service.comments import find
from tests import makers
from tests.cast import Cast, Person
from tests.site import Site

TEXT = "# Ink\n\nSoot and gum.\n\nMuch later: soot and gum again. Soot and gum.\n"


def url(document: dict[str, Any]) -> str:
    return f"/api/v1/documents/{document['id']}/comments"


async def test_a_passage_is_found_again_while_the_text_moves(site: Site, alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body=TEXT)
    place = TEXT.rindex("Soot and gum")
    said = await alice.program.post(url(made), {"body": "Too often.", "quote": "Soot and gum", "place": place})
    assert (said.status_code, said.json()["place"], said.json()["version"]) == (201, place, 1)
    await bob.program.patch(f"/api/v1/documents/{made['id']}", {"body": "New.\n" + TEXT}, If_Match="*")
    (found,) = (await bob.program.get(url(made))).json()["items"]
    assert found["place"] == place + 5
    await bob.program.patch(f"/api/v1/documents/{made['id']}", {"body": "All new."}, If_Match="*")
    (found,) = (await bob.program.get(url(made))).json()["items"]
    assert (found["place"], found["quote"]) == (None, "Soot and gum")
    assert "no longer stands in the text" in (await bob.browser.get(f"/editor/documents/{made['id']}")).text
    assert [event.kind for event in await site.events(made["id"], "document.comm")][1:] == ["document.commented"]


async def test_by_page_with_reply_mention_and_resolving(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body=TEXT, title="Talked about")
    hers, his = f"/sponsor/documents/{made['id']}", f"/editor/documents/{made['id']}"
    form = {"body": "Please look, @bob <script>", "quote": "Much later: soot"}
    answer = await alice.browser.post(f"{hers}/comments", form, page=hers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{hers}#comments")
    page = (await bob.browser.get(his)).text
    assert "Please look, @bob &lt;script&gt;" in page
    dashboard = unescape((await bob.browser.get("/editor/dashboard")).text)
    assert "Comments for you" in dashboard
    assert "1 open, 1 names you" in dashboard.split(made["id"])[1]
    (first,) = (await bob.program.get(url(made))).json()["items"]
    assert first["mentions"] == [str(bob.id)]
    reply = {"body": "Done.", "parent_id": first["id"]}
    assert (await bob.browser.post(f"{his}/comments", reply, page=his)).status_code == 303
    assert "1 reply" in (await alice.browser.get(hers)).text
    done = await alice.browser.post(f"{hers}/comments/{first['id']}/resolve", page=hers)
    assert "Resolved." in (await alice.browser.follow(done)).text
    assert made["id"] not in (await bob.browser.get("/editor/dashboard")).text.split("To write")[0]
    assert (await bob.program.post(f"{url(made)}/{first['id']}/reopen")).status_code == 204
    assert (await bob.program.get(url(made))).json()["items"][0]["resolved_at"] is None


async def test_what_is_refused(alice: Person, bob: Person) -> None:
    made, other = await makers.document(alice, bob, body=TEXT), await makers.document(alice, bob)
    elsewhere = (await alice.program.post(url(other), {"body": "x"})).json()["id"]
    for body in (
        {},
        {"body": ""},
        {"body": "x", "quote": "not in the text"},
        {"body": "x", "parent_id": elsewhere},
        {"body": "x" * 5_001},
        {"body": "x", "place": -1},
        {"body": "x", "author_id": str(bob.id)},
    ):
        assert (await alice.program.post(url(made), body)).status_code == 422, body
    for verb in ("resolve", "reopen"):
        assert (await alice.program.post(f"{url(made)}/{elsewhere}/{verb}")).status_code == 404
    here = f"/sponsor/documents/{made['id']}"
    page = await alice.browser.post(f"{here}/comments", {"body": "Kept words", "quote": "nowhere"}, page=here)
    assert page.status_code == 422
    assert "Kept words" in page.text


async def test_only_those_who_see_the_document(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob)
    (await cast.alice.program.post(url(made), {"body": "Between us."})).json()
    for who in (cast.charlie, cast.edith, cast.max):
        assert (await who.program.get(url(made))).status_code == 404
        assert (await who.program.post(url(made), {"body": "x"})).status_code == 404
    assert len((await cast.ada.program.get(url(made))).json()["items"]) == 1


async def test_the_list_is_paged(alice: Person) -> None:
    made = await makers.document(alice)
    for number in range(3):
        await alice.program.post(url(made), {"body": f"Number {number}"})
    first = (await alice.program.get(f"{url(made)}?limit=2")).json()
    rest = (await alice.program.get(f"{url(made)}?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["body"] for item in first["items"] + rest["items"]] == ["Number 0", "Number 1", "Number 2"]


@pytest.mark.parametrize(
    ("quote", "place", "found"), [("a", 0, 0), ("a", 5, 4), ("a", 99, 8), ("a", None, 0), ("z", 3, None), ("aba", 4, 4)]
)
def test_the_nearest_place(quote: str, place: int | None, found: int | None) -> None:
    assert find("abababab" + "a", quote, place) == found
