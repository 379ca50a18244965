"""What comes after publication: unpublishing, publishing again, the archive; and due dates and editors on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.documents.life import STATES, STEPS, WRITABLE
from app.ids import now
from tests import makers
from tests.cast import Person
from tests.client import Browser, Program
from tests.site import Site

LIFE = Path(__file__).resolve().parent.parent.parent / "docs" / "life.md"


def url(document: dict[str, Any]) -> str:
    return f"/api/v1/documents/{document['id']}"


async def test_unpublished_is_gone_and_published_again_it_is_back(
    site: Site, alice: Person, bob: Person, browser: Browser, program: Program
) -> None:
    made = await makers.document(alice, bob, "published", title="Here and gone")
    entry = f"/entry/{made['entry_id']}"
    assert (await browser.get(entry)).status_code == 200
    taken = await alice.program.post(f"{url(made)}/unpublish", {"note": "A name was wrong."})
    assert (taken.status_code, taken.json()["state"]) == (200, "accepted")
    assert taken.json()["entry_id"] == made["entry_id"], "the entry stays linked"
    gone = await browser.get(entry)
    assert gone.status_code == 410
    assert "has been withdrawn" in gone.text
    assert "A name was wrong" not in gone.text, "the note is not for readers"
    problem = await program.get(f"/api/v1/entries/{made['entry_id']}")
    assert (problem.status_code, problem.json()["code"]) == (410, "gone")
    assert "Here and gone" not in (await browser.get("/")).text
    assert f'href="{entry}"' not in (await alice.browser.get(f"/sponsor/documents/{made['id']}")).text

    tag = taken.headers["etag"]
    await alice.program.patch(url(made), {"body": "With the right name."}, If_Match=tag)
    again = await makers.take(alice, made["id"], "publish")
    assert again["entry_id"] == made["entry_id"]
    back = await program.get(f"/api/v1/entries/{made['entry_id']}")
    assert (back.status_code, back.json()["body"]) == (200, "With the right name.")
    assert "Here and gone" in (await browser.get("/")).text
    kinds = [event.kind for event in await site.events(made["id"])][-4:]
    assert kinds == ["document.published", "document.unpublished", "document.saved", "document.published"]
    # One deed, one event: the document's, which names the entry.
    named = [event.details.get("entry") for event in await site.events(made["id"])]
    assert [entry for entry in named if entry] == [made["entry_id"]] * 3
    assert await site.events(made["entry_id"]) == []


async def test_a_reader_who_held_it_is_told_as_well(alice: Person, bob: Person, program: Program) -> None:
    made = await makers.document(alice, bob, "published")
    path = f"/api/v1/entries/{made['entry_id']}"
    tag = (await program.get(path)).headers["etag"]
    await makers.take(alice, made["id"], "unpublish")
    assert (await program.get(path, If_None_Match=tag)).status_code == 410
    await makers.take(alice, made["id"], "publish")
    assert (await program.get(path, If_None_Match=tag)).status_code == 200


async def test_the_archive_and_back(alice: Person, bob: Person, browser: Browser) -> None:
    for state in ("published", "cancelled"):
        made = await makers.document(alice, bob, state, title=f"Put away {state}")
        page = f"/sponsor/documents/{made['id']}"
        answer = await alice.browser.post(f"{page}/archive", page=page)
        assert answer.status_code == 303
        assert "Archived." in (await alice.browser.follow(answer)).text
        assert (await alice.program.get(url(made))).json()["state"] == "archived"
        assert made["id"] not in (await alice.browser.get("/sponsor/dashboard")).text
        if state == "published":
            assert (await browser.get(f"/entry/{made['entry_id']}")).status_code == 200
        back = await makers.take(alice, made["id"], "unarchive")
        assert back["state"] == state


@pytest.mark.parametrize("step", ["archive", "unarchive", "unpublish"])
async def test_those_steps_start_where_the_table_says(alice: Person, bob: Person, step: str) -> None:
    for state in STATES:
        made = await makers.document(alice, None if state == "draft" else bob, state)
        taken = await alice.program.post(f"{url(made)}/{step}")
        assert taken.status_code == (200 if state in STEPS[step].start else 409), state


async def test_due_by_form_and_program(alice: Person, bob: Person) -> None:
    tomorrow = (now().date() + timedelta(days=1)).isoformat()
    form = {"title": "Soon", "editor_id": str(bob.id), "due_on": tomorrow}
    answer = await alice.browser.post("/sponsor/newdocument", form)
    assert answer.status_code == 303
    page = (await alice.browser.follow(answer)).text
    assert "due tomorrow" in page
    assert f'name="due_on" type="date" value="{tomorrow}"' in page
    made = (await bob.program.get("/api/v1/documents/" + answer.headers["location"].rpartition("/")[2])).json()
    assert made["due_on"] == tomorrow
    moved = await alice.program.patch(url(made), {"due_on": "2031-05-04"}, If_Match='"1"')
    assert (moved.json()["due_on"], moved.json()["version"], moved.headers["etag"]) == ("2031-05-04", 1, '"2"')
    refused = await bob.program.patch(url(made), {"due_on": None}, If_Match='"2"')
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_part")
    cleared = await alice.program.patch(url(made), {"due_on": None}, If_Match='"2"')
    assert cleared.json()["due_on"] is None


@pytest.mark.parametrize("value", ["2026-02-30", "tomorrow", "0000-00-00", "2026-1-1"])
async def test_what_is_no_date(alice: Person, value: str) -> None:
    refused = await alice.program.post("/api/v1/documents", {"title": "T", "due_on": value})
    assert refused.json()["errors"] == {"due_on": ["This must be a date such as 2026-01-31."]}
    page = await alice.browser.post("/sponsor/newdocument", {"title": "T", "due_on": value})
    assert page.status_code == 422
    assert 'id="due_on-error"' in page.text


async def test_an_empty_date_takes_it_away_and_a_missing_one_leaves_it(alice: Person) -> None:
    made = (await alice.program.post("/api/v1/documents", {"title": "T", "due_on": "2031-01-01"})).json()
    page = f"/sponsor/documents/{made['id']}"
    assert (await alice.browser.post(page, {"title": "U", "version": "1"})).status_code == 303
    assert (await alice.program.get(url(made))).json()["due_on"] == "2031-01-01"
    assert (await alice.browser.post(page, {"title": "U", "version": "2", "due_on": ""})).status_code == 303
    assert (await alice.program.get(url(made))).json()["due_on"] is None


async def test_what_is_late_comes_first(site: Site) -> None:
    nora, bob = await makers.signed_in(site, "sponsor"), await makers.signed_in(site, "editor")
    past = [(now().date() - timedelta(days=days)).isoformat() for days in (3, 1)]
    late = [await makers.document(nora, bob, title=f"Due {day}") for day in past]
    for document, day in zip(late, past, strict=True):
        await nora.program.patch(url(document), {"due_on": day}, If_Match="*")
    done = await makers.document(nora, bob, "handed_in", title="Handed in late")
    await nora.program.patch(url(done), {"due_on": past[0]}, If_Match="*")
    for who, part in ((nora, "sponsor"), (bob, "editor")):
        page = (await who.browser.get(f"/{part}/dashboard")).text
        headings = re.findall(r'<h2 id="group-\d">([^<]+)</h2>', page)
        assert headings[0] == "Late"
        links = re.findall(rf"/{part}/documents/([0-9a-f-]{{36}})", page)
        assert links[:2] == [late[0]["id"], late[1]["id"]]
        assert "3 days late" in page
        assert "1 day late" in page
        assert page.count("days late</time>") == 1, "what was handed in is not late"


async def test_who_had_it_when_stays_known(alice: Person, bob: Person, edith: Person) -> None:
    made = await makers.document(alice, bob)
    await alice.program.patch(url(made), {"editor_id": str(edith.id)}, If_Match="*")
    await alice.program.patch(url(made), {"editor_id": None}, If_Match="*")
    found = (await alice.program.get(f"{url(made)}/steps")).json()["items"]
    assert [(step["step"], step["editor_name"], step["to_state"]) for step in found] == [
        ("assign", None, "draft"),
        ("assign", "Edith", "in_progress"),
        ("assign", "Bob", "in_progress"),
    ]
    page = (await alice.browser.get(f"/sponsor/documents/{made['id']}")).text
    for words in ("Given to Bob", "Given to Edith", "Taken from its editor"):
        assert words in page
    first = (await alice.program.get(f"{url(made)}/steps?limit=2")).json()
    rest = (await alice.program.get(f"{url(made)}/steps?limit=2&cursor={first['next_cursor']}")).json()
    assert first["items"] + rest["items"] == found
    assert (await bob.program.get(f"{url(made)}/steps")).status_code == 404


def drawn() -> str:
    """The life table as the document shows it."""
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> draft: commissioned",
        "    [*] --> in_progress: with an editor",
    ]
    lines += ["    draft --> in_progress: given to an editor", "    in_progress --> draft: taken from its editor"]
    lines += ["    returned --> draft: taken from its editor"]
    for step in STEPS.values():
        ends = [step.end] if step.end else sorted(STEPS["archive"].start)
        lines += [
            f"    {start} --> {end}: {step.name}"
            for start in sorted(step.start, key=STATES.index)
            for end in ends
        ]  # fmt: skip
    lines += ["```", "", "| step | who | from | to |", "|---|---|---|---|"]
    for step in STEPS.values():
        start = ", ".join(f"`{state}`" for state in sorted(step.start, key=STATES.index))
        end = f"`{step.end}`" if step.end else "what it was before"
        lines.append(f"| `{step.name}` | its {step.by} | {start} | {end} |")
    lines += ["", "| state | sponsor may write | editor may write |", "|---|---|---|"]
    for state in STATES:
        may = ["yes" if state in WRITABLE[part] else "" for part in ("sponsor", "editor")]
        lines.append(f"| `{state}` | {may[0]} | {may[1]} |")
    return "\n".join(lines)


def test_the_documents_show_the_table_in_the_code() -> None:
    text = LIFE.read_text("utf-8")
    shown = text.split("<!-- the table -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == drawn()
