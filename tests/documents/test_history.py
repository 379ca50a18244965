"""A document's versions: read, compared, restored, by page and by program, by those who may see it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from app.versions.comparing import compare_now
from tests import makers
from tests.cast import Cast, Person


def url(document: dict[str, Any]) -> str:
    return f"/api/v1/documents/{document['id']}"


async def three(alice: Person, bob: Person) -> dict[str, Any]:
    """A document with three versions."""
    made = await makers.document(alice, bob, body="# Ink\n\nSoot and gum.\n\nThe end.\n")
    for number, text in enumerate(
        ("# Ink\n\nSoot and oil.\n\nThe end.\n", "# Ink\n\nSoot and oil.\n\nNew.\n\nThe end.\n"), 1
    ):
        saved = await bob.program.patch(url(made), {"body": text}, If_Match=f'"{number}"')
        assert saved.status_code == 200
    return made


async def test_reading_a_version(alice: Person, bob: Person) -> None:
    made = await three(alice, bob)
    first = (await bob.program.get(f"{url(made)}/versions/1")).json()
    assert (first["body"], first["title"], first["brief"]) == (made["body"], made["title"], made["brief"])
    assert (first["version"], first["saved_by_name"]) == (1, "Alice")
    page = (await bob.browser.get(f"/editor/documents/{made['id']}/versions/1")).text
    assert "<p>Soot and gum.</p>" in page
    assert "What changed since" in page
    for number in (0, 4, 10**9, 2**31, 10**30):
        assert (await bob.program.get(f"{url(made)}/versions/{number}")).status_code == 404
        assert (await bob.browser.get(f"/editor/documents/{made['id']}/versions/{number}")).status_code == 404


async def test_comparing_two(alice: Person, bob: Person) -> None:
    made = await three(alice, bob)
    found = (await alice.program.get(f"{url(made)}/diff?from=1&to=3")).json()
    assert (found["before"], found["after"], found["title"], found["brief"]) == (1, 3, None, None)
    assert (found["body"]["added"], found["body"]["removed"], found["body"]["complete"]) == (3, 1, True)
    changed = [row for row in found["body"]["rows"] if row["kind"] == "changed"]
    assert [piece for piece in changed[0]["before"] if piece["changed"]] == [{"text": "gum", "changed": True}]
    assert [piece for piece in changed[0]["after"] if piece["changed"]] == [{"text": "oil", "changed": True}]
    for path in ("from=1&to=3", "from=3&to=1"):
        page = (await alice.browser.get(f"/sponsor/documents/{made['id']}/compare?{path}")).text
        assert "<del>gum</del>" in page
        assert "<ins>oil</ins>" in page
    same = (await alice.browser.get(f"/sponsor/documents/{made['id']}/compare?from=2&to=2")).text
    assert "There is no difference here." in same


@pytest.mark.parametrize("query", ["", "from=1", "from=x&to=2", "from=0&to=1", "from=1&to=9999999999"])
async def test_what_cannot_be_compared(alice: Person, query: str) -> None:
    made = await makers.document(alice)
    assert (await alice.program.get(f"{url(made)}/diff?{query}")).status_code == 422
    assert (await alice.browser.get(f"/sponsor/documents/{made['id']}/compare?{query}")).status_code == 422
    assert (await alice.program.get(f"{url(made)}/diff?from=1&to=2")).status_code == 404


async def test_restoring_by_program(alice: Person, bob: Person) -> None:
    made = await three(alice, bob)
    path = f"{url(made)}/restore"
    assert (await bob.program.post(path, {"version": 1})).status_code == 428
    assert (await bob.program.post(path, {"version": 1}, If_Match='"2"')).status_code == 412
    assert (await bob.program.post(path, {"version": 9}, If_Match='"3"')).status_code == 404
    done = await bob.program.post(path, {"version": 1}, If_Match='"3"')
    assert (done.status_code, done.json()["body"], done.json()["version"]) == (200, made["body"], 4)
    assert done.headers["etag"] == '"4"'
    listed = (await alice.program.get(f"{url(made)}/versions")).json()["items"]
    assert (listed[0]["version"], listed[0]["summary"]) == (4, "Restored version 1")


async def test_restoring_by_page(alice: Person, bob: Person) -> None:
    made = await three(alice, bob)
    here = f"/editor/documents/{made['id']}"
    page = (await bob.browser.get(f"{here}/versions/1")).text
    newest = re.search(r'name="version" value="(\d+)"', page)
    assert newest
    stale = await bob.browser.post(f"{here}/versions/1/restore", {"version": "1"}, page=here)
    assert "somebody saved in between" in (await bob.browser.follow(stale)).text
    done = await bob.browser.post(f"{here}/versions/1/restore", {"version": newest[1]}, page=here)
    assert (done.status_code, done.headers["location"]) == (303, here)
    assert "Version 1 is restored" in (await bob.browser.follow(done)).text
    assert (await alice.program.get(url(made))).json()["body"] == made["body"]


async def test_an_editor_restores_the_text_and_not_the_brief(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="one")
    await alice.program.patch(url(made), {"brief": "Twenty pages.", "body": "two"}, If_Match='"1"')
    his = await bob.program.post(f"{url(made)}/restore", {"version": 1}, If_Match='"2"')
    assert (his.json()["body"], his.json()["brief"]) == ("one", "Twenty pages.")
    hers = await alice.program.post(f"{url(made)}/restore", {"version": 1}, If_Match='"3"')
    assert hers.json()["brief"] == made["brief"]


async def test_nobody_restores_what_is_not_theirs_to_write(cast: Cast) -> None:
    made = await makers.document(cast.alice, cast.bob, "published")
    refused = await cast.alice.program.post(f"{url(made)}/restore", {"version": 1}, If_Match="*")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_writable")
    for who in (cast.charlie, cast.edith):
        for path in ("versions/1", "diff?from=1&to=1"):
            assert (await who.program.get(f"{url(made)}/{path}")).status_code == 404
        assert (await who.program.post(f"{url(made)}/restore", {"version": 1}, If_Match="*")).status_code == 404


async def test_hostile_text_stays_text(alice: Person, bob: Person) -> None:
    made = await makers.document(alice, bob, body="<script>alert(1)</script> one")
    await bob.program.patch(url(made), {"body": "<script>alert(2)</script> two"}, If_Match='"1"')
    page = (await alice.browser.get(f"/sponsor/documents/{made['id']}/compare?from=1&to=2")).text
    assert "<script>alert" not in page
    assert "&lt;" in page


def test_long_runs_that_are_the_same_are_folded() -> None:
    lines = [f"line {number}" for number in range(100)]
    found = compare_now("\n".join(lines), "\n".join([*lines[:50], "new", *lines[50:]]))
    kinds = [row.kind for row in found.rows]
    assert kinds == ["skipped", "same", "same", "same", "added", "same", "same", "same", "skipped"]
    assert [row.lines for row in found.rows if row.kind == "skipped"] == [47, 47]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 250_000, "b\n" * 250_000),
        ("a b " * 125_000, "b a " * 125_000),
        ("\n" * 500_000, "x" + "\n" * 499_999),
        ("".join(f"{n}\n" for n in range(70_000)), "".join(f"{n}\n" for n in reversed(range(70_000)))),
        (
            "".join(f"{n % 300} {n % 7}\n" for n in range(60_000)),
            "".join(f"{n % 7} {n % 300}\n" for n in range(60_000)),
        ),
        ("字" * 500_000, "墨" * 500_000),
    ],
)
def test_no_two_texts_take_long(before: str, after: str) -> None:
    start = time.thread_time()
    found = compare_now(before, after)
    assert time.thread_time() - start < 2.5
    assert found.added or found.removed
    assert sum(len(piece.text) for row in found.rows for piece in (*row.before, *row.after)) < 2_000_000
