"""Who sees which documents: lists, counts, dashboards and details say the same, and a stranger meets nothing."""

from __future__ import annotations

import re
from uuid import uuid4

from tests import makers
from tests.cast import Cast, Person
from tests.site import Site


async def everything_seen(person: Person) -> set[str]:
    """All documents in the person's list, page by page."""
    seen: set[str] = set()
    cursor = ""
    while True:
        page = (await person.program.get(f"/api/v1/documents?limit=3{cursor}")).json()
        seen |= {item["id"] for item in page["items"]}
        if page["next_cursor"] is None:
            return seen
        cursor = f"&cursor={page['next_cursor']}"


async def test_list_count_dashboard_and_detail_agree(site: Site) -> None:
    alice, charlie = await makers.signed_in(site, "sponsor"), await makers.signed_in(site, "sponsor")
    bob, both = await makers.signed_in(site, "editor"), await makers.signed_in(site, "sponsor", "editor")
    max_, ada = await makers.signed_in(site, "member"), await makers.signed_in(site, "admin")
    made: dict[str, set[Person]] = {}
    everybody = (alice, bob, charlie, both, max_, ada)

    def note(document: dict[str, str], *people: Person) -> None:
        made[document["id"]] = {person.id for person in people}  # type: ignore[misc]

    note(await makers.document(alice), alice, ada)
    note(await makers.document(alice, bob), alice, bob, ada)
    note(await makers.document(alice, both, "handed_in"), alice, both, ada)
    note(await makers.document(both, both), both, ada)
    note(await makers.document(charlie, bob, "published"), charlie, bob, ada)
    for person in everybody:
        allowed = {document_id for document_id, people in made.items() if person.id in people}
        listed = await everything_seen(person)
        assert listed & made.keys() == allowed
        at_once = (await person.program.get("/api/v1/documents?limit=100")).json()  # a statement that is kept ready
        since = (await person.program.get("/api/v1/documents?limit=100&updated_since=2000-01-01T00:00:00Z")).json()
        assert at_once["items"] == since["items"]
        for document_id in made:
            status = 200 if document_id in allowed else 404
            assert (await person.program.get(f"/api/v1/documents/{document_id}")).status_code == status
            assert (await person.program.get(f"/api/v1/documents/{document_id}/versions")).status_code == status
        for part in ("sponsor", "editor"):
            if part not in person.roles:
                continue
            page = (await person.browser.get(f"/{part}/documents")).text
            dashboard = (await person.browser.get(f"/{part}/dashboard")).text
            for document_id in made:
                shown = await person.browser.get(f"/{part}/documents/{document_id}")
                assert (document_id in page) == (shown.status_code == 200)
                assert (document_id in dashboard) == (shown.status_code == 200)
    by_state = [len((await alice.program.get(f"/api/v1/documents?state={state}")).json()["items"]) for state in
                ("draft", "in_progress", "handed_in", "published")]  # fmt: skip
    assert by_state == [1, 1, 1, 0]


async def test_a_stranger_cannot_tell_foreign_from_missing(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob)
    for who, part in ((cast.charlie, "sponsor"), (cast.edith, "editor")):
        await who.browser.get("/account")  # what they did before is told once, on the next page they open
        answers = []
        for document_id in (made["id"], str(uuid4())):
            page = await who.browser.get(f"/{part}/documents/{document_id}")
            shown = await who.program.get(f"/api/v1/documents/{document_id}")
            changed = await who.program.patch(f"/api/v1/documents/{document_id}", {"body": "x"}, If_Match='"1"')
            stepped = await who.program.post(f"/api/v1/documents/{document_id}/accept")
            answers.append(
                [
                    (answer.status_code, re.sub(r"[0-9a-f-]{32,36}", "", re.sub(r'value="[^"]*"', "", answer.text)))
                    for answer in (page, shown, changed, stepped)
                ]
            )
        assert answers[0] == answers[1]
        assert {status for status, _ in answers[0]} == {404}


async def test_a_part_is_needed_not_only_a_role(cast: Cast) -> None:
    """An administrator reads everything by program, but the sponsor's and editor's pages are for those two."""
    made = await makers.document(cast.alice, cast.bob)
    assert (await cast.ada.program.get(f"/api/v1/documents/{made['id']}")).status_code == 200
    saved = await cast.ada.program.patch(f"/api/v1/documents/{made['id']}", {"body": "x"}, If_Match='"1"')
    assert (saved.status_code, saved.json()["code"]) == (403, "not_writable")
    assert (await cast.ada.browser.get(f"/sponsor/documents/{made['id']}")).status_code == 403


async def test_pages_have_no_gaps_and_no_doubles_while_documents_come(site: Site) -> None:
    nora = await makers.signed_in(site, "sponsor")
    made = [(await makers.document(nora, title=f"Number {number}"))["id"] for number in range(7)]
    equal = "UPDATE documents SET updated_at = date_trunc('hour', updated_at) WHERE sponsor_id = :id"
    await site.change(equal, id=nora.id)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await nora.program.get(f"/api/v1/documents?limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        await makers.document(nora, title="In between")
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


async def test_a_long_list_is_paged_on_its_page(site: Site) -> None:
    nora = await makers.signed_in(site, "sponsor")
    for number in range(31):
        await makers.document(nora, title=f"Number {number:02}.")
    first = (await nora.browser.get("/sponsor/documents")).text
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert "Number 00." not in first
    second = (await nora.browser.get(older)).text
    assert "Number 00." in second
    assert 'rel="next"' not in second
    assert (await nora.browser.get("/sponsor/documents?cursor=junk")).status_code == 422


async def test_what_cannot_be_asked(alice: Person) -> None:
    for query in ("state=gone", "limit=0", "limit=101", "cursor=x", "sponsor_id=x", "state=draft&state=draft"):
        assert (await alice.program.get(f"/api/v1/documents?{query}")).status_code == 422
