"""Two people who save at once, and people who cannot save at all: no word of theirs is lost."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.versions.merging import BETWEEN, MINE, THEIRS, merge_line, merge_now
from tests import makers
from tests.cast import Person
from tests.client import Browser
from tests.site import Site

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "", "e f"]), max_size=12).map("\n".join)
BASE = "first\n\nsecond\n\nthird\n\nfourth\n"


def field(page: str, name: str) -> str:
    """What stands in a text area of a page."""
    found = re.search(rf'<textarea id="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found
    return unescape(found[1])


@given(LINES, LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_every_line_of_both_is_in_the_proposal(base: str, mine: str, theirs: str) -> None:
    merged = merge_now(base, mine, theirs)
    kept = merged.text.split("\n")
    added = [line for text in (mine, theirs) for line in text.split("\n") if line not in base.split("\n")]
    assert all(line in kept for line in added)
    assert kept.count(MINE) == kept.count(THEIRS) == merged.conflicts


@given(LINES, LINES)
@settings(max_examples=100, deadline=None)
def test_who_alone_changed_it_is_followed(base: str, changed: str) -> None:
    assert merge_now(base, changed, base).text == changed
    assert merge_now(base, base, changed).text == changed
    assert merge_now(base, changed, changed).text == changed


def test_different_places_are_put_together() -> None:
    merged = merge_now(BASE, BASE.replace("first", "FIRST"), BASE.replace("fourth", "FOURTH"))
    assert (merged.text, merged.conflicts) == (BASE.replace("first", "FIRST").replace("fourth", "FOURTH"), 0)


def test_the_same_place_holds_both_between_marks() -> None:
    merged = merge_now("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc")
    assert merged.text.split("\n") == ["a", MINE, "mine", BETWEEN, "theirs", THEIRS, "c"]


def test_titles() -> None:
    assert merge_line("t", "mine", "t") == ("mine", False)
    assert merge_line("t", "t", "theirs") == ("theirs", False)
    assert merge_line("t", "mine", "theirs") == ("mine", True)


async def both_save(alice: Person, bob: Person, hers: str, his: str) -> tuple[dict[str, Any], str]:
    """Bob saves first, then Alice from the same version; her conflict page."""
    made = await makers.document(alice, bob, body=BASE)
    form = {"title": made["title"], "version": "1", "body": his}
    assert (await bob.browser.post(f"/editor/documents/{made['id']}", form)).status_code == 303
    answer = await alice.browser.post(f"/sponsor/documents/{made['id']}", form | {"body": hers.replace("\n", "\r\n")})
    assert answer.status_code == 409
    return made, answer.text


async def test_a_merge_without_conflict_needs_one_press(alice: Person, bob: Person) -> None:
    made, page = await both_save(alice, bob, BASE.replace("first", "FIRST"), BASE.replace("fourth", "FOURTH"))
    merged = field(page, "body")
    assert merged == BASE.replace("first", "FIRST").replace("fourth", "FOURTH")
    assert "both changes are in it already" in page
    form = {"title": made["title"], "version": "2", "merging": "1", "body": merged}
    assert (await alice.browser.post(f"/sponsor/documents/{made['id']}", form)).status_code == 303
    assert (await bob.program.get(f"/api/v1/documents/{made['id']}")).json()["body"] == merged


async def test_marks_must_be_taken_out(alice: Person, bob: Person) -> None:
    made, page = await both_save(alice, bob, BASE.replace("second", "hers"), BASE.replace("second", "his"))
    merged = field(page, "body")
    assert [word in merged for word in (MINE, "hers", BETWEEN, "his", THEIRS)] == [True] * 5
    assert "In 1 place you both changed the same lines" in page
    here = f"/sponsor/documents/{made['id']}"
    form = {"title": made["title"], "version": "2", "merging": "1", "body": merged}
    again = await alice.browser.post(here, form)
    assert again.status_code == 409
    assert "still holds the marks" in again.text
    assert field(again.text, "body") == merged
    done = form | {"body": BASE.replace("second", "ours")}
    assert (await alice.browser.post(here, done)).status_code == 303


async def test_a_program_is_told_where_the_newest_is(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob)
    await bob.program.patch(f"/api/v1/documents/{made['id']}", {"body": "x"}, If_Match='"1"')
    stale = await alice.program.patch(f"/api/v1/documents/{made['id']}", {"body": "y"}, If_Match='"1"')
    assert stale.status_code == 412
    assert stale.json()["current"] == f"/api/v1/documents/{made['id']}"
    assert (await alice.program.get(stale.json()["current"])).headers["etag"] == '"2"'


TYPED = {"title": "Half a <thought>", "body": "The sentence that must not be lost & more"}


async def test_signed_out_while_writing_and_in_again(site: Site) -> None:
    """The session ends behind the page's back: the text comes back, and after signing in two presses save it."""
    nora = await makers.signed_in(site)
    token = await nora.browser.token("/entry")
    await nora.browser.post("/logout", page="/logout")
    lost = await nora.browser.send("/entry", {"form_token": token, **TYPED})
    assert lost.status_code == 403
    assert field(lost.text, "body") == TYPED["body"]
    assert 'value="Half a &lt;thought&gt;"' in lost.text
    assert "Sign in in another tab" in lost.text
    still_out = await send_on(nora.browser, lost.text)
    assert (still_out.status_code, field(still_out.text, "body")) == (401, TYPED["body"])
    await nora.browser.sign_in(nora.email, nora.password)
    back = await send_on(nora.browser, still_out.text)
    assert (back.status_code, field(back.text, "body")) == (403, TYPED["body"])
    assert "Save it now" in back.text
    saved = await send_on(nora.browser, back.text)
    assert saved.status_code == 303
    assert TYPED["body"] in unescape((await nora.browser.get(saved.headers["location"])).text)


async def send_on(browser: Browser, page: str) -> Any:
    """Press the one button of a page that gave a text back."""
    token = re.search(r'name="kept" value="1"', page) and re.findall(r'name="form_token" value="([^"]*)"', page)[-1]
    assert token
    return await browser.send("/entry", {"form_token": unescape(token), "kept": "1", **TYPED})


async def test_suspended_while_writing(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site)
    token = await nora.browser.token("/entry")
    decision = {"reason": "for the test"}
    assert (await ada.program.post(f"/api/v1/admin/people/{nora.id}/suspend", decision)).status_code == 200
    lost = await nora.browser.send("/entry", {"form_token": token, **TYPED})
    assert (lost.status_code, field(lost.text, "body")) == (403, TYPED["body"])
    await nora.browser.sign_in(nora.email, nora.password)
    form = {"form_token": await nora.browser.token(), "kept": "1", **TYPED}
    told = await nora.browser.send("/entry", form)
    assert (told.status_code, field(told.text, "body")) == (403, TYPED["body"])
    assert "Save it now" not in told.text
    assert "How your account stands" in told.text


async def test_what_another_site_sends_is_not_shown(site: Site) -> None:
    nora = await makers.signed_in(site)
    token = await nora.browser.token("/entry")
    foreign = await nora.browser.send("/entry", {"form_token": token, **TYPED}, Origin="https://evil.example")
    assert foreign.status_code == 403
    assert TYPED["body"] not in unescape(foreign.text)
