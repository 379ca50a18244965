"""Finding texts: everybody in the journal, people in the documents they may see; ranked, marked, forgiving of typos."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest

from app.ids import now
from app.search.schemas import Piece
from app.search.wording import pieces, tsquery, without_signs, words_of
from tests import makers
from tests.cast import Cast, Person
from tests.client import Browser, Program
from tests.site import Site, as_owner


def word() -> str:
    """A word no other text holds."""
    return "z" + secrets.token_hex(6)


async def found(program: Program, query: str) -> list[dict[str, Any]]:
    answer = await program.get(f"/api/v1/search?{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_everybody_finds_the_journal(cast: Cast, browser: Browser) -> None:
    rare = word()
    made = await makers.entry(cast.max, f"On {rare}", f"Long before. {rare} <script>alert(1)</script> & after. " * 3)
    (item,) = await found(cast.visitor.program, f"q={rare}")
    assert (item["kind"], item["id"], item["url"]) == ("entry", made["id"], f"/entry/{made['id']}")
    assert (item["person_name"], item["state"]) == ("Max", None)
    assert {"text": rare, "hit": True} in item["excerpt"]
    page = (await browser.get(f"/search?q={rare}")).text
    assert f"<mark>{rare}</mark>" in page
    assert "<script>alert" not in page
    assert f'href="/entry/{made["id"]}"' in page


async def test_documents_are_found_by_those_who_may_see_them(cast: Cast) -> None:
    rare = word()
    made = await makers.document(cast.alice, cast.bob, title=f"Plan {rare}")
    for who, count in (
        (cast.visitor, 0),
        (cast.max, 0),
        (cast.alice, 1),
        (cast.bob, 1),
        (cast.charlie, 0),
        (cast.edith, 0),
        (cast.ada, 1),
    ):
        assert len(await found(who.program, f"q={rare}")) == count, who.name
    (item,) = await found(cast.alice.program, f"q={rare}")
    assert (item["kind"], item["state"], item["url"]) == ("document", "in_progress", f"/sponsor/documents/{made['id']}")
    assert f'href="/editor/documents/{made["id"]}"' in (await cast.bob.browser.get(f"/search?q={rare}")).text
    assert made["id"] not in (await cast.charlie.browser.get(f"/search?q={rare}")).text


async def test_a_key_without_the_scope_finds_no_documents(alice: Person) -> None:
    rare = word()
    await makers.document(alice, title=f"Plan {rare}")
    key = (await alice.program.post("/api/v1/me/keys", {"name": "N", "scopes": ["entries:read"]})).json()
    if "key" in key:
        assert (await alice.program.call("GET", f"/api/v1/search?q={rare}", token=key["key"])).json()["items"] == []


async def test_withdrawn_is_not_found(alice: Person, bob: Person, program: Program) -> None:
    rare = word()
    made = await makers.document(alice, bob, "published", title=f"Plan {rare}")
    assert [item["id"] for item in await found(program, f"q={rare}")] == [made["entry_id"]]
    await makers.take(alice, made["id"], "unpublish")
    assert await found(program, f"q={rare}") == []


async def test_titles_come_before_texts_and_beginnings_are_enough(max: Person, program: Program) -> None:
    rare = word()
    in_text = await makers.entry(max, "Something", f"It says {rare}s here and there.")
    in_title = await makers.entry(max, f"All about {rare}s", "Nothing of it here.")
    assert [item["id"] for item in await found(program, f"q={rare}")] == [in_title["id"], in_text["id"]]
    assert [item["id"] for item in await found(program, f"q={rare}%20says")] == [in_text["id"]]


async def test_a_typo_still_leads_there(max: Person, program: Program) -> None:
    made = await makers.entry(max, "The palimpsest of Archimedes")
    answer = (await program.get("/api/v1/search?q=palimpzest")).json()
    assert answer["similar"] is True
    assert made["id"] in [item["id"] for item in answer["items"]]
    page = (await max.browser.get("/search?q=palimpzest")).text
    assert "words that look like them" in page


async def test_words_of_texts_are_understood_as_well(max: Person, program: Program) -> None:
    rare = "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(12))
    made = await makers.entry(max, "Nothing of it", f"Down here it says {rare}.")

    async def meant(typed: str) -> tuple[bool, list[str]]:
        answer = (await program.get(f"/api/v1/search?q={typed}")).json()
        return answer["similar"], [item["id"] for item in answer["items"]]

    assert await meant(rare[:5] + "y" + rare[6:]) == (True, [made["id"]])
    other = "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(12))
    path = f"/api/v1/entries/{made['id']}"
    changed = await max.program.patch(path, {"body": f"Now it says {other}."}, **{"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert await meant(other[:5] + "y" + other[6:]) == (True, [made["id"]])
    assert (await meant(rare[:5] + "y" + rare[6:]))[1] == []


async def test_no_text_fills_the_table_of_words(site: Site, max: Person) -> None:
    """However many words it makes up, those it has most often are noted, and nothing with digits in it."""
    stem = "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(6))
    letters = "bcdfghjkmnpqrstvwxz"
    made_up = [f"{stem}{a}{b}{c}" for a in letters for b in letters for c in letters[:4]]
    often, with_digits = f"{stem}yyyyy", f"{stem}2026"
    await makers.entry(
        max, f"On {stem}titled", " ".join([*made_up, often, often, with_digits, with_digits, with_digits])
    )
    async with as_owner(site.stack) as db:
        noted = {row["word"] for row in await db.fetch("SELECT word FROM app.search_words WHERE word ^@ $1", stem)}
    assert {often, f"{stem}titled"} <= noted
    assert with_digits not in noted
    assert 400 < len(noted) <= 500 < len(made_up)


async def test_filters(cast: Cast) -> None:
    rare = word()
    entry = await makers.entry(cast.max, f"Entry {rare}")
    draft = await makers.document(cast.alice, title=f"Draft {rare}")
    handed = await makers.document(cast.alice, cast.bob, "handed_in", title=f"Handed in {rare}")
    tomorrow = (now() + timedelta(days=1)).date().isoformat()
    today = now().date().isoformat()
    for query, expected in {
        "where=journal": {entry["id"]},
        "where=documents": {draft["id"], handed["id"]},
        "state=handed_in": {handed["id"]},
        "person=Max": {entry["id"]},
        "person=bo": {handed["id"]},
        "person=100%25": set(),
        f"since={tomorrow}": set(),
        f"since={today}&until={today}": {entry["id"], draft["id"], handed["id"]},
        "since=0001-01-01&until=9999-12-31": {entry["id"], draft["id"], handed["id"]},
    }.items():
        items = await found(cast.alice.program, f"q={rare}&{query}")
        assert {item["id"] for item in items} == expected, query


async def test_pages_of_what_was_found(max: Person, program: Program) -> None:
    rare = word()
    made = {(await makers.entry(max, f"Number {number} {rare}"))["id"] for number in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await program.get(f"/api/v1/search?q={rare}&limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize("query", ["limit=0", "where=x", "since=x", "state=x", "cursor=x", "x=1", "q=" + "a" * 201])
async def test_what_cannot_be_asked(program: Program, browser: Browser, query: str) -> None:
    assert (await program.get(f"/api/v1/search?{query}")).status_code == 422
    assert (await browser.get(f"/search?{query}")).status_code in (200, 422)


@pytest.mark.parametrize("typed", ["", "   ", "'", "a & b | !c", "\\", "')--", ":*", "<->", "%00", "字", "' or 1=1"])
async def test_whatever_is_typed_is_only_words(program: Program, browser: Browser, typed: str) -> None:
    assert (await program.http.get("/api/v1/search", params={"q": typed})).status_code == 200
    assert (await browser.http.get("/search", params={"q": typed})).status_code == 200


async def test_a_text_full_of_different_words_is_saved(max: Person) -> None:
    """PostgreSQL refuses tsvectors beyond a megabyte; no text may fail to be saved for that."""
    body = " ".join(f"{number:x}字{number * 7919:x}" for number in range(36_000))[:500_000]
    assert (await max.program.post("/api/v1/entries", {"title": "Many words", "body": body})).status_code == 201
    emoji = "".join(f"{chr(0x20000 + number % 40_000)} " for number in range(250_000))
    assert (await max.program.post("/api/v1/entries", {"title": "Rare signs", "body": emoji})).status_code == 201


def test_words() -> None:
    assert words_of("Soot, gum & WATER!") == ["soot", "gum", "water"]
    assert tsquery(["of", "soot"]) == "'of' & 'soot':*"
    assert pieces("a \x02b\x03 c") == [Piece("a "), Piece("b", True), Piece(" c")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "worth the \x02ink\x03.\n\n> What we write\n## How to begin",
            "worth the \x02ink\x03.\n\nWhat we write\nHow to begin",
        ),
        ("- one\n12. two\n> > * # three", "one\ntwo\nthree"),
        ("*iron gall \x02ink\x03*, __well__ `made`, ~~gone~~", "iron gall \x02ink\x03, well made, gone"),
        ("the [\x02ink\x03](https://example.org/ink_a 'I') ![pen](/p.png)", "the \x02ink\x03 pen"),
        ("a link that is cut [\x02ink\x03](https://exam", "a link that is cut \x02ink\x03"),
        ("```python\nx = 1\n```\n---\nend", "\nx = 1\n\n\nend"),
        ("2 * 3, snake_case, [1], (aside), #tag, -5, 1.5", "2 * 3, snake_case, [1], (aside), #tag, -5, 1.5"),
    ],
)
def test_excerpts_are_read_and_not_parsed(written: str, shown: str) -> None:
    assert without_signs(written) == shown


async def test_an_excerpt_shows_no_signs_of_markdown(max: Person, program: Program) -> None:
    rare = "z" + secrets.token_hex(6)
    await makers.entry(max, "On jars", body=f"## Jars\n\nKeep *{rare}* in a [dry](https://example.org/dry) place")
    found = (await program.get(f"/api/v1/search?q={rare}")).json()["items"]
    assert "".join(piece["text"] for piece in found[0]["excerpt"]).split() == f"Jars Keep {rare} in a dry place".split()
    assert [piece["text"] for piece in found[0]["excerpt"] if piece["hit"]] == [rare]


def shown(item: dict[str, Any]) -> tuple[str, list[str]]:
    """An excerpt as it reads, and its hits."""
    excerpt = item["excerpt"]
    return "".join(piece["text"] for piece in excerpt), [piece["text"] for piece in excerpt if piece["hit"]]


async def test_of_a_long_text_the_part_with_the_rarest_word_is_shown(max: Person, program: Program) -> None:
    rare, common = word(), word()
    far = f"{common} lies about. " * 200 + f"Here is {rare} with {common}. " + f"{common} goes on. " * 200
    await makers.entry(max, "Far in", far)
    (item,) = await found(program, f"q={common}+{rare}")
    text, hits = shown(item)
    assert rare in hits, text
    assert common in hits, text
    assert len(text) < len(far) / 10, text
    assert " … " in text, text


async def test_what_is_only_part_of_a_word_is_not_shown_for_it(max: Person, program: Program) -> None:
    stem, rare = word()[:3], word()  # so short a word is only found as it is
    made = await makers.entry(
        max, "Parts", f"{stem}ling of {stem}lings. " * 60 + f"At last ({stem}). " + "So on. " * 200 + rare
    )
    items = {item["id"]: item for item in await found(program, f"q={stem}")}
    assert set(shown(items[made["id"]])[1]) == {stem}


async def test_no_word_is_cut_in_two(max: Person, program: Program) -> None:
    """Wherever the cut falls, half of a longer word is neither shown nor taken for what was looked for."""
    rare = word()
    long = f"un{rare}ed"
    for ahead in range(len(long) + 2):
        await makers.entry(max, "Cut", "x" * ahead + f" {long}" * 60 + f" {rare} " + f"{long} " * 60)
    items = await found(program, f"q={rare}")
    assert len(items) == len(long) + 2
    for item in items:
        text, hits = shown(item)
        assert hits == [rare], text
        assert set(text.replace("…", " ").split()) <= {rare, long}, text


async def test_without_a_hit_near_enough_the_beginning_is_shown(max: Person, program: Program) -> None:
    rare = word()
    await makers.entry(max, "Late", "The beginning of it is quiet. " * 400 + rare)
    (item,) = await found(program, f"q={rare}")
    text, hits = shown(item)
    assert text.startswith("The beginning of it")
    assert hits == []
