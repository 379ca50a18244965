"""A document's life, step by step: who takes which step from where, and that everything else is refused."""

from __future__ import annotations

import asyncio

import pytest

from app.documents.life import STEPS
from tests import makers
from tests.cast import Person
from tests.client import Browser, Program
from tests.site import Site

STATES = ["draft", "in_progress", "handed_in", "returned", "accepted", "published", "cancelled"]


def url(document: dict[str, object]) -> str:
    return f"/api/v1/documents/{document['id']}"


async def test_from_commission_to_journal_by_program(
    site: Site, alice: Person, bob: Person, program: Program, browser: Browser
) -> None:
    made = await makers.document(alice, bob, title="The <whole> way", body="# Ink\n\n*Soot*.")
    for who, step, state in (
        (bob, "hand-in", "handed_in"),
        (alice, "return", "returned"),
        (bob, "hand-in", "handed_in"),
        (alice, "accept", "accepted"),
        (alice, "publish", "published"),
    ):
        taken = await who.program.post(f"{url(made)}/{step}", {"note": f"Note at {step}"})
        assert (taken.status_code, taken.json()["state"]) == (200, state)
        assert taken.headers["etag"] == f'"{taken.json()["revision"]}"'
        assert taken.json()["version"] == 1, "a step is no save"
    entry_id = taken.json()["entry_id"]
    entry = (await program.get(f"/api/v1/entries/{entry_id}")).json()
    assert (entry["title"], entry["body"], entry["author"]["display_name"]) == (
        "The <whole> way",
        "# Ink\n\n*Soot*.",
        "Bob",
    )
    assert entry["document_id"] == made["id"]
    page = (await browser.get(f"/entry/{entry_id}")).text
    assert "<em>Soot</em>" in page
    assert [event.kind for event in await site.events(made["id"])] == [
        "document.commissioned",
        "document.handed_in",
        "document.returned",
        "document.handed_in",
        "document.accepted",
        "document.published",
    ]
    own = (await alice.browser.get(f"/sponsor/documents/{made['id']}")).text
    assert f'href="/entry/{entry_id}"' in own
    assert "Note at return" in own


async def test_from_commission_to_journal_by_page(alice: Person, bob: Person, browser: Browser) -> None:
    made = await makers.document(alice, bob, title="By page")
    for who, part, step, label in (
        (bob, "editor", "hand-in", "Handed in."),
        (alice, "sponsor", "accept", "Accepted."),
        (alice, "sponsor", "publish", "Published in the journal."),
    ):
        page = f"/{part}/documents/{made['id']}"
        assert f'action="{page}/{step}"' in (await who.browser.get(page)).text
        answer = await who.browser.post(f"{page}/{step}", {"note": ""}, page=page)
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        assert label in (await who.browser.follow(answer)).text
    assert "By page" in (await browser.get("/")).text


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES)
async def test_steps_are_open_only_where_the_table_says(alice: Person, bob: Person, step: str, state: str) -> None:
    rule = STEPS[step]
    made = await makers.document(alice, None if state == "draft" else bob, state)
    taker, other = (alice, bob) if rule.by == "sponsor" else (bob, alice)
    if state == "draft":
        assert (await bob.program.post(f"{url(made)}/{step}")).status_code == 404
        if rule.by == "editor":
            assert (await alice.program.post(f"{url(made)}/{step}")).status_code == 403
            return
    else:
        refused = await other.program.post(f"{url(made)}/{step}")
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_part")
    taken = await taker.program.post(f"{url(made)}/{step}", {"note": "Because."})
    if state in rule.start:
        assert (taken.status_code, taken.json()["state"]) == (200, rule.end)
    else:
        assert (taken.status_code, taken.json()["code"]) == (409, "wrong_state")
        assert (await alice.program.get(url(made))).json() == made


@pytest.mark.parametrize("step", STEPS)
async def test_pages_refuse_a_step_of_another_part(alice: Person, bob: Person, step: str) -> None:
    made = await makers.document(alice, bob)
    part, who = ("editor", bob) if STEPS[step].by == "sponsor" else ("sponsor", alice)
    page = f"/{part}/documents/{made['id']}"
    assert (await who.browser.post(f"{page}/{step}", page=page)).status_code == 404
    assert (await who.browser.post(f"{page}/burn", page=page)).status_code == 404


async def test_of_many_who_publish_at_once_one_does(site: Site, alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, "accepted")
    answers = await asyncio.gather(*(alice.program.post(f"{url(made)}/publish") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    entries = await site.rows("SELECT id FROM entries WHERE document_id = :id", id=made["id"])
    assert len(entries) == 1
    assert len(await site.events(made["id"], "document.published")) == 1


async def test_an_open_page_says_when_somebody_was_faster(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, "accepted")
    page = f"/sponsor/documents/{made['id']}"
    token = await alice.browser.token(page)
    await makers.take(alice, made["id"], "return")
    answer = await alice.browser.send(f"{page}/publish", {"form_token": token})
    assert answer.status_code in (303, 409)
    assert (await alice.program.get(url(made))).json()["state"] == "returned"


async def test_giving_a_draft_an_editor_begins_the_work(alice: Person, bob: Person, edith: Person) -> None:
    made = await makers.document(alice)
    assert made["state"] == "draft"
    begun = (await alice.program.patch(url(made), {"editor_id": str(bob.id)}, If_Match='"1"')).json()
    assert (begun["state"], begun["editor_id"], begun["version"]) == ("in_progress", str(bob.id), 1)
    assert (await bob.program.get(url(made))).status_code == 200
    moved = await alice.program.patch(url(made), {"editor_id": str(edith.id)}, If_Match='"2"')
    assert moved.status_code == 200
    assert (await bob.program.get(url(made))).status_code == 404
    assert (await edith.program.get(url(made))).status_code == 200
    alone = (await alice.program.patch(url(made), {"editor_id": None}, If_Match='"3"')).json()
    assert (alone["state"], alone["editor_id"]) == ("draft", None)


async def test_giving_a_draft_an_editor_by_page(alice: Person, bob: Person) -> None:
    made = await makers.document(alice)
    page = f"/sponsor/documents/{made['id']}"
    form = {"title": made["title"], "brief": "", "body": "", "editor_id": str(bob.id), "version": "1"}
    assert (await alice.browser.post(page, form)).status_code == 303
    assert (await bob.program.get(url(made))).json()["state"] == "in_progress"


async def test_an_editor_does_not_choose_editors(alice: Person, bob: Person, edith: Person) -> None:
    made = await makers.document(alice, bob)
    refused = await bob.program.patch(url(made), {"editor_id": str(edith.id)}, If_Match='"1"')
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_part")


async def test_what_was_handed_in_keeps_its_editor(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, "handed_in")
    refused = await alice.program.patch(url(made), {"editor_id": None}, If_Match="*")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize("body", [{"note": 1}, {"note": "x" * 2001}, {"because": "x"}, {"note": None}, ["x"]])
async def test_a_note_is_a_note(alice: Person, bob: Person, body: object) -> None:
    made = await makers.document(alice, bob)
    refused = await bob.program.post(f"{url(made)}/hand-in", body)
    assert refused.status_code == 422
    assert (await alice.program.get(url(made))).json() == made


async def test_a_step_needs_no_body_at_all(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    assert (await bob.program.raw("POST", f"{url(made)}/hand-in", b"", Content_Type="")).status_code == 200
    assert (await alice.program.post(f"{url(made)}/return", {})).status_code == 200
