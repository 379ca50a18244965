"""Drafts: kept while somebody writes, found again by them and nobody else, gone once saved; and previews."""

from __future__ import annotations

import re

import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.documents.test_merging import field
from tests.site import Site, running


async def keep(person: Person, place: str, **typed: str) -> int:
    return (await person.browser.post("/drafts", {"place": place, **typed}, page="/entry")).status_code


def place_on(page: str) -> str:
    """Where a page keeps what is typed on it; its form and its script say the same."""
    found = re.search(r'data-draft="([^"]+)"', page)
    assert found
    assert f'name="place" value="{found[1]}"' in page
    return found[1]


def seen_on(page: str) -> str:
    """When the draft was kept that a page goes on with, as its form says."""
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found
    return found[1]


async def begin(kind: str, sponsor: Person, writer: Person) -> tuple[str, str]:
    """A page on which the writer writes, and a place of their own on it."""
    if kind == "new":
        return "/entry", place_on((await writer.browser.get("/entry")).text)
    if kind == "entry":
        here = f"/entry/{(await makers.entry(writer))['id']}/edit"
    else:
        here = f"/editor/documents/{(await makers.document(sponsor, writer))['id']}"
    return here, place_on((await writer.browser.get(here)).text)


async def test_a_draft_of_an_entry_is_found_again(site: Site) -> None:
    nora = await makers.signed_in(site)
    assert "draft-found" not in (await nora.browser.get("/entry")).text
    assert await keep(nora, "entry", title="Half", body="In mid-senten") == 200
    assert await keep(nora, "entry", title="Half", body="In mid-sentence, and on\r\n") == 200
    page = (await nora.browser.get("/entry")).text
    assert "You have a draft that you did not save" in page
    assert field(page, "body") == ""
    opened = (await nora.browser.get("/entry?draft=1")).text
    assert field(opened, "body") == "In mid-sentence, and on\n"
    assert 'value="Half"' in opened
    published = await nora.browser.post("/entry", {"title": "Half", "body": "Whole."})
    assert published.status_code == 303
    assert "draft-found" not in (await nora.browser.get("/entry")).text


async def test_several_unfinished_entries_are_listed(site: Site) -> None:
    """Two windows, two drafts: neither takes the place of the other, and each is gone on with and published by itself."""
    nora = await makers.signed_in(site)
    assert "Nothing is unfinished" in (await nora.browser.get("/drafts")).text
    places = []
    for title in ("First thought", "Second thought"):
        page = (await nora.browser.get("/entry")).text
        place = re.search(r'data-draft="(new:[^"]+)"', page)
        assert place
        assert f'name="place" value="{place[1]}"' in page
        assert await keep(nora, place[1], title=title, body=f"{title}, un", tags="ink") == 200
        places.append(place[1])
    assert "You have 2 unfinished entries" in (await nora.browser.get("/entry")).text
    listed = (await nora.browser.get("/drafts")).text
    links = re.findall(r'<h2 dir="auto"><a href="([^"]+)">([^<]+)', listed)
    assert [title for _, title in links] == ["Second thought", "First thought"]
    opened = (await nora.browser.get(links[1][0])).text
    assert field(opened, "body") == "First thought, un"
    assert 'name="tags" type="text" value="ink"' in opened
    sent = {"title": "First thought", "body": "Finished.", "place": places[0]}
    assert (await nora.browser.post("/entry", sent)).status_code == 303
    left = (await nora.browser.get("/drafts")).text
    assert "Second thought" in left
    assert "First thought" not in left
    assert (await nora.browser.get(links[1][0])).status_code == 404


async def test_a_button_keeps_it_where_no_script_runs(site: Site) -> None:
    nora = await makers.signed_in(site)
    page = (await nora.browser.get("/entry")).text
    assert 'formaction="/drafts/keep"' in page
    place = re.search(r'name="place" value="([^"]+)"', page)
    assert place
    typed = {"place": place[1], "title": "", "body": "half a", "tags": "", "note": ""}
    kept = await nora.browser.post("/drafts/keep", typed, page="/entry")
    assert (kept.status_code, kept.headers["location"]) == (303, "/drafts")
    listed = (await nora.browser.follow(kept)).text
    assert "Kept as a draft. Only you see it." in listed
    assert "Without a title" in listed
    other = await makers.signed_in(site)
    assert "half a" not in (await other.browser.get("/drafts")).text
    assert (await other.browser.get(f"/entry?draft={place[1][4:]}")).status_code == 404
    assert (await nora.browser.post("/drafts/keep", typed | {"place": "x"}, page="/entry")).status_code == 422


async def test_drafts_of_what_is_there_lead_to_its_page(site: Site, alice: Person) -> None:
    made, entry = await makers.document(alice), await makers.entry(alice)
    beside = "0198f0a0-0000-7000-8000-000000000001"
    for place in (f"document:{made['id']}", f"entry:{entry['id']}:{beside}"):
        assert await keep(alice, place, title="Changed", body="words", version="1") == 200
    listed = (await alice.browser.get("/drafts")).text
    assert f'href="/entry/{entry["id"]}/edit?draft={beside}"' in listed
    lead = await alice.browser.get(f"/documents/{made['id']}?draft=first")
    assert lead.headers["location"] == f"/sponsor/documents/{made['id']}?draft=first"
    strange = await alice.browser.get(f"/documents/{made['id']}?draft=x%23y%26z")
    assert strange.headers["location"] == f"/sponsor/documents/{made['id']}?draft=x%23y%26z"
    assert f'href="/documents/{made["id"]}?draft=first"' in listed


async def test_a_draft_of_a_document_begins_where_it_began(alice: Person, bob: Person) -> None:
    """Somebody saved meanwhile: the draft still says which version it is of, so that saving it merges."""
    made = await makers.document(alice, bob, body="one\n\ntwo\n")
    place, here = f"document:{made['id']}", f"/editor/documents/{made['id']}"
    assert await keep(bob, place, title=made["title"], body="one\n\nTWO\n", version="1") == 200
    await alice.program.patch(f"/api/v1/documents/{made['id']}", {"body": "ONE\n\ntwo\n"}, If_Match='"1"')
    assert "You have a draft" in (await bob.browser.get(here)).text
    opened = (await bob.browser.get(f"{here}?draft=1")).text
    assert field(opened, "body") == "one\n\nTWO\n"
    assert re.search(r'name="version" value="1"', opened)
    conflict = await bob.browser.post(here, {"title": made["title"], "body": "one\n\nTWO\n", "version": "1"})
    assert conflict.status_code == 409
    assert field(conflict.text, "body") == "ONE\n\nTWO\n"
    merged = {"title": made["title"], "body": "ONE\n\nTWO\n", "version": "2"}
    assert (await bob.browser.post(here, merged)).status_code == 303
    assert "draft-found" not in (await bob.browser.get(here)).text


async def test_a_draft_that_was_found_is_kept_until_it_is_opened_or_thrown_away(alice: Person, bob: Person) -> None:
    """Whoever writes on without opening it keeps and saves in a place of their own, in a document and in an entry."""
    made, entry = await makers.document(alice, bob, body="one\n"), await makers.entry(bob)
    for here, text_place in (
        (f"/editor/documents/{made['id']}", f"document:{made['id']}"),
        (f"/entry/{entry['id']}/edit", f"entry:{entry['id']}"),
    ):
        first = place_on((await bob.browser.get(here)).text)
        assert first.startswith(f"{text_place}:")
        assert await keep(bob, first, title="T", body="of last week", version="1") == 200
        page = (await bob.browser.get(here)).text
        assert "It stays as it is until you open it" in page
        assert field(page, "body") != "of last week"
        second = place_on(page)
        assert second != first
        assert await keep(bob, second, title="T", body="of today", version="1") == 200
        page = (await bob.browser.get(here)).text
        assert "1 more waits among" in page
        for place, body in ((first, "of last week"), (second, "of today")):
            opened = (await bob.browser.get(f"{here}?draft={place.rpartition(':')[2]}")).text
            assert field(opened, "body") == body
            assert place_on(opened) == place
        wrong = await bob.browser.post(here, {"title": "", "body": "of today", "version": "1", "place": second})
        assert wrong.status_code == 422
        assert place_on(wrong.text) == second
        saved = await bob.browser.post(here, {"title": "T", "body": "of today", "version": "1", "place": second})
        assert saved.status_code == 303, saved.text
        page = (await bob.browser.get(here)).text
        assert "You have a draft that you did not save" in page
        assert "more wait" not in page
        opened = (await bob.browser.get(f"{here}?draft=1")).text
        assert field(opened, "body") == "of last week"
        # Nor does a form that names the place of another text take that one's draft away.
        stray = {"title": "T", "body": "of tonight", "version": "2", "place": f"{text_place[:-1]}x:{first[-36:]}"}
        assert (await bob.browser.post(here, stray)).status_code == 303
        assert "You have a draft that you did not save" in (await bob.browser.get(here)).text


async def test_a_draft_that_was_merged_is_gone(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="one\n\ntwo\n")
    here = f"/editor/documents/{made['id']}"
    place = place_on((await bob.browser.get(here)).text)
    assert await keep(bob, place, title=made["title"], body="one\n\nTWO\n", version="1") == 200
    await alice.program.patch(f"/api/v1/documents/{made['id']}", {"body": "ONE\n\ntwo\n"}, If_Match='"1"')
    sent = {"title": made["title"], "body": "one\n\nTWO\n", "version": "1", "place": place}
    conflict = await bob.browser.post(here, sent)
    assert f'name="place" value="{place}"' in conflict.text
    assert (await bob.browser.post(here, sent | {"body": "ONE\n\nTWO\n", "version": "2"})).status_code == 303
    assert "draft-found" not in (await bob.browser.get(here)).text


async def test_a_draft_that_says_what_is_saved_is_not_offered(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="same")
    assert await keep(bob, f"document:{made['id']}", title=made["title"], body="same", version="1") == 200
    assert "draft-found" not in (await bob.browser.get(f"/editor/documents/{made['id']}")).text


async def test_nobody_else_sees_it(alice: Person, bob: Person, cast: Cast) -> None:
    made = await makers.document(alice, bob)
    place = f"document:{made['id']}"
    assert await keep(bob, place, title="T", body="a secret thought", version="1") == 200
    for who in (alice, cast.charlie):
        page = await who.browser.get(f"/sponsor/documents/{made['id']}?draft=1")
        assert "a secret thought" not in page.text
        assert "draft-found" not in page.text
    await alice.browser.post("/drafts/discard", {"place": place, "next": "/entry"}, page="/entry")
    assert "You have a draft" in (await bob.browser.get(f"/editor/documents/{made['id']}")).text


async def test_throwing_it_away(site: Site) -> None:
    nora = await makers.signed_in(site)
    await keep(nora, "entry", body="x")
    gone = await nora.browser.post("/drafts/discard", {"place": "entry", "next": "/entry"}, page="/entry")
    assert gone.headers["location"] == "/entry"
    assert "draft-found" not in (await nora.browser.get("/entry")).text
    away = await nora.browser.post("/drafts/discard", {"place": "entry", "next": "//evil.example"}, page="/entry")
    assert away.headers["location"] == "/account"


def shown_on(page: str) -> str:
    """When the draft was kept that may be thrown away."""
    found = re.search(r'name="shown" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_what_was_typed_since_is_not_thrown_away(site: Site) -> None:
    """Another window may have kept more than the page shows, and may be gone by now."""
    nora = await makers.signed_in(site)
    assert await keep(nora, "entry", body="the beginning") == 200
    for page in ("/drafts", "/entry"):
        shown = shown_on((await nora.browser.get(page)).text)
        assert await keep(nora, "entry", body=f"the beginning, and more, before {page}") == 200
        form = {"place": "entry", "shown": shown, "next": "/entry"}
        answer = await nora.browser.post("/drafts/discard", form, page=page)
        told = (await nora.browser.get(answer.headers["location"])).text
        assert "was not thrown away" in told
        assert f"and more, before {page}" in (await nora.browser.get("/drafts")).text
    form["shown"] = shown_on((await nora.browser.get("/entry")).text)
    await nora.browser.post("/drafts/discard", form, page="/entry")
    assert "and more" not in (await nora.browser.get("/drafts")).text
    again = await nora.browser.post("/drafts/discard", form, page="/entry")  # pressed twice: it is gone, as was wanted
    assert "is thrown away" in (await nora.browser.get(again.headers["location"])).text


@pytest.mark.parametrize("place", ["", "x", "document:1", "entry:../..", "document:" + "f" * 36, "entry "])
async def test_a_place_is_one_of_ours(max: Person, place: str) -> None:
    assert await keep(max, place, body="x") == 422


async def test_they_do_not_pile_up(site: Site) -> None:
    nora = await makers.signed_in(site)
    token = await nora.browser.token("/entry")
    for number in range(53):
        form = {"form_token": token, "place": f"document:{number:08x}-0000-7000-8000-000000000000", "body": "x"}
        assert (await nora.browser.send("/drafts", form)).status_code == 200
    (row,) = await site.rows("SELECT count(*) AS count FROM drafts WHERE person_id = :id", id=nora.id)
    assert row.count == 50


async def test_many_drafts_of_one_text_cost_no_draft_of_another(site: Site, alice: Person) -> None:
    """The page of a text holds its five newest, however often it was opened."""
    made = await makers.document(alice)
    nora = await makers.signed_in(site)
    token = await nora.browser.token("/entry")
    long = {"form_token": token, "place": f"entry:{made['id']}", "body": "of long nights"}
    assert (await nora.browser.send("/drafts", long)).status_code == 200
    for number in range(51):
        place = f"document:{made['id']}:{number:08x}-0000-7000-8000-000000000000"
        form = {"form_token": token, "place": place, "body": f"word {number}"}
        assert (await nora.browser.send("/drafts", form)).status_code == 200
    rows = await site.rows("SELECT body FROM drafts WHERE person_id = :id ORDER BY saved_at", id=nora.id)
    assert [row.body for row in rows] == ["of long nights", *(f"word {number}" for number in range(46, 51))]


async def test_a_page_loads_few_drafts_of_its_text(site: Site, alice: Person) -> None:
    made = await makers.document(alice)
    older = """INSERT INTO drafts (person_id, place, title, body, version, saved_at)
               SELECT :id, :place || ':' || gen_random_uuid(), 'T', 'old', 1, now() - number * interval '1 day'
               FROM generate_series(1, 9) AS number"""
    await site.change(older, id=alice.id, place=f"document:{made['id']}")
    assert "4 more wait among" in (await alice.browser.get(f"/sponsor/documents/{made['id']}")).text


@pytest.mark.parametrize("kind", ["document", "entry", "new"])
async def test_two_windows_on_one_draft_keep_both_texts(site: Site, bob: Person, alice: Person, kind: str) -> None:
    here, first = await begin(kind, alice, bob)
    token = await bob.browser.token("/entry")

    async def typing(place: str, body: str, seen: str) -> dict[str, str]:
        form = {"form_token": token, "place": place, "title": "T", "body": body, "seen": seen}
        told: dict[str, str] = (await bob.browser.send("/drafts", form)).json()
        return told

    await typing(first, "begun", "")
    name = first.rpartition(":")[2]
    page = (await bob.browser.get(f"{here}?draft={name}")).text
    place, seen = place_on(page), seen_on(page)
    assert (place, bool(seen)) == (first, True)
    one = await typing(place, "2,000 words", seen)
    assert one["place"] == first
    two = await typing(place, "x", seen)
    assert two["place"].startswith(first.rpartition(":")[0] + ":")
    assert two["place"] != first
    # Each goes on by itself; and who sends the same once more, because the answer was lost, gets the same place again.
    for window, body in ((one, "2,001 words"), (two, "xy")):
        later = await typing(window["place"], body, window["saved_at"])
        again = await typing(window["place"], body, window["saved_at"])
        assert later["place"] == again["place"] == window["place"]
    # What nobody can read counts as never seen.
    three = await typing(first, "z", "yesterday")
    assert three["place"] not in (first, two["place"])
    for kept, body in ((first, "2,001 words"), (two["place"], "xy"), (three["place"], "z")):
        opened = (await bob.browser.get(f"{here}?draft={kept.rpartition(':')[2]}")).text
        assert (place_on(opened), field(opened, "body")) == (kept, body)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        *((kind, "seen") for kind in ("document", "entry", "new")),
        ("document", "yesterday"),
        ("entry", "2026-11-28T07:00:00"),
        ("new", "0001-01-01T00:00:00+23:59"),
    ],
)
async def test_saving_in_one_window_leaves_what_another_kept(alice: Person, bob: Person, kind: str, seen: str) -> None:
    here, place = await begin(kind, alice, bob)
    assert await keep(bob, place, title="T", body="begun", version="1") == 200
    name = place.rpartition(":")[2]
    page = (await bob.browser.get(f"{here}?draft={name}")).text
    moment = seen_on(page) if seen == "seen" else seen
    assert await keep(bob, place, title="T", body="a second ago", version="1", seen=seen_on(page)) == 200
    sent = {"title": "T", "body": "saved", "version": "1", "place": place, "seen": moment}
    wrong = await bob.browser.post(here, sent | {"title": ""})
    assert seen_on(wrong.text) == moment
    assert (await bob.browser.post(here, sent)).status_code == 303
    opened = (await bob.browser.get(f"{here}?draft={name}")).text
    assert field(opened, "body") == "a second ago"
    # Saved as it was seen there, it goes; and so it does when it is what was saved, and only the answer was lost.
    sent |= {"version": "2", "body": "a second ago and more", "seen": seen_on(opened)}
    assert await keep(bob, place, title="T", body="a second ago and more", version="2", seen=seen_on(opened)) == 200
    assert (await bob.browser.post(here, sent)).status_code == 303
    assert "draft-found" not in (await bob.browser.get(here if kind != "new" else "/entry")).text


async def test_putting_two_texts_together_leaves_what_another_window_kept(alice: Person, bob: Person) -> None:
    made, entry = await makers.document(alice, bob, body="one\n"), await makers.entry(bob)
    for here, place in (
        (f"/editor/documents/{made['id']}", f"document:{made['id']}"),
        (f"/entry/{entry['id']}/edit", f"entry:{entry['id']}"),
    ):
        assert await keep(bob, place, title="T", body="begun", version="1") == 200
        seen = seen_on((await bob.browser.get(f"{here}?draft=first")).text)
        sent = {"title": "T", "body": "begun", "version": "1", "place": place, "seen": seen}
        assert (await bob.browser.post(here, sent | {"body": "two\n", "place": f"{place}:x"})).status_code == 303
        conflict = await bob.browser.post(here, sent)
        assert (conflict.status_code, seen_on(conflict.text)) == (409, seen)
        assert await keep(bob, place, title="T", body="a second ago", version="1", seen=seen) == 200
        both = {"title": "T", "body": "both", "version": "2", "place": place, "seen": seen}
        assert (await bob.browser.post(here, both)).status_code == 303
        assert field((await bob.browser.get(f"{here}?draft=first")).text, "body") == "a second ago"


async def test_the_button_tells_of_another_window(site: Site) -> None:
    nora = await makers.signed_in(site)
    place = place_on((await nora.browser.get("/entry")).text)
    assert await keep(nora, place, title="T", body="begun") == 200
    typed = {"place": place, "title": "T", "body": "mine", "seen": "2026-01-01T00:00:00Z"}
    kept = await nora.browser.post("/drafts/keep", typed, page="/entry")
    listed = (await nora.browser.follow(kept)).text
    assert "Kept as a draft, beside the one that was kept in another window." in listed
    assert "begun" in listed
    assert "mine" in listed


async def test_a_preview_is_what_readers_will_see(max: Person) -> None:
    body = "# Ink\n\n<script>alert(1)</script> *soot*"
    shown = await max.browser.post("/drafts/preview", {"body": body}, page="/entry")
    assert shown.status_code == 200
    assert "<em>soot</em>" in shown.text
    assert "<script" not in shown.text
    foreign = {"form_token": await max.browser.token(), "body": body}
    assert (await max.browser.send("/drafts/preview", foreign, Origin="https://evil.example")).status_code == 403
    assert (await max.browser.send("/drafts/preview", {"body": body})).status_code == 403


async def test_keeping_has_a_limit(site: Site) -> None:
    nora = await makers.signed_in(site)
    async with running(site.stack, LIMIT_DRAFTS="3/hour") as other:
        browser = nora.browser.copy(other.app)
        token = await browser.token("/logout")
        form = {"form_token": token, "place": "entry", "body": "x"}
        assert [(await browser.send("/drafts", form)).status_code for _ in range(4)] == [200, 200, 200, 429]
        await browser.close()
