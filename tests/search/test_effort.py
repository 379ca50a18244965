"""What keeps searches quick, looked up in plans and counted instead of timed; milliseconds belong to `bench/search.py`."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args
from typing import cast as typed

import asyncpg
import pytest
from sqlalchemy import Integer, literal_column

from app.reader import Reader, Readers
from app.search import queries
from app.search.queries import Kind, Shape, Way
from app.search.schemas import SearchQuery
from tests import makers
from tests.cast import Cast, Person
from tests.client import Program
from tests.site import Site, as_owner

BIG = ("entries", "documents", "search_words")
SEEN = {"a visitor": (), "a sponsor": ("sponsor",), "an editor": ("editor",), "an administrator": ("admin",)}
KINDS: tuple[Kind, ...] = ("entry", "document")
ASKED = {
    "words": SearchQuery(q="soot"),
    "state": SearchQuery(q="soot", state="draft"),
    "person": SearchQuery(q="soot", person="alice"),
    "tag": SearchQuery(q="soot", tag="ink"),
    "dates": SearchQuery(
        q="soot", since=datetime(2020, 1, 1, tzinfo=UTC).date(), until=datetime(2035, 1, 1, tzinfo=UTC).date()
    ),
}


@contextmanager
def round_trips(site: Site) -> Iterator[list[str]]:
    """Everything readers send to PostgreSQL, by the driver's own account; each is one way there and back."""
    sent: list[str] = []

    def note(record: Any) -> None:
        sent.append(record.query)

    def open_readers() -> list[asyncpg.Connection]:
        readers: Readers = site.resources.database._readers
        return [reader.driver for reader in readers._idle]

    listened = open_readers()
    for driver in listened:
        driver.add_query_logger(note)
    try:
        yield sent
        assert open_readers() == listened, "a reader was opened meanwhile, whose words nobody heard"
    finally:
        for driver in listened:
            driver.remove_query_logger(note)


async def asked(site: Site, program: Program, query: str) -> tuple[list[str], dict[str, Any]]:
    """What one search sends, when it was asked before, and what it finds."""
    path = f"/api/v1/search?{query}"
    assert (await program.get(path)).status_code == 200
    with round_trips(site) as sent:
        answer = await program.get(path)
    assert answer.status_code == 200, answer.text
    return sent, answer.json()


async def test_a_search_is_four_round_trips(site: Site, cast: Cast) -> None:
    """Begin with its settings, what to expect, the search itself, and the end: for both kinds of texts together."""
    rare = "z" + secrets.token_hex(6)
    await makers.entry(cast.max, f"On {rare}")
    await makers.document(cast.alice, title=f"Plan {rare}")
    for who, count in ((cast.visitor, 1), (cast.alice, 2), (cast.ada, 2)):
        sent, found = await asked(site, who.program, f"q={rare}")
        assert (len(sent), len(found["items"])) == (4, count), sent
    sent, found = await asked(site, cast.ada.program, f"q={rare}&person=max")
    assert (len(sent), len(found["items"])) == (5, 1), sent


async def test_what_is_not_found_is_five_round_trips_and_a_typo_seven(
    site: Site, max: Person, program: Program
) -> None:
    rare = "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(14))
    await makers.entry(max, f"On {rare}")
    sent, found = await asked(site, program, "q=" + "".join(chr(0x4E00 + secrets.randbelow(20_000)) for _ in range(6)))
    assert (len(sent), found["items"]) == (5, []), sent
    sent, found = await asked(site, program, f"q={rare[:7]}y{rare[8:]}")
    assert (len(sent), len(found["items"]), found["similar"]) == (7, 1, True), sent


@pytest.mark.parametrize("way", get_args(Way))
@pytest.mark.parametrize("who", SEEN)
async def test_no_search_reads_a_big_table_from_one_end_to_the_other(
    site: Site, max: Person, way: Way, who: str
) -> None:
    roles = frozenset(SEEN[who])
    async with planning(site) as db:
        for name, query in ASKED.items():
            kinds = tuple(kind for kind in KINDS if (kind == "document" if query.state else roles or kind == "entry"))
            if not kinds or (query.state and not roles):
                continue
            shape = Shape(kinds, roles, queries.limits_of(query))
            since = datetime(2020, 1, 1, tzinfo=UTC)
            values = queries.parameters(query, max.id) | {
                "words": "'soot':*", "whole": "'soot'", "people": [max.id], "limit": 21, "offset": 0,
                "entry_since": since, "document_since": since, "entry_enough": 800, "document_enough": 800,
            }  # fmt: skip
            search = queries.search(shape, tuple((kind, way) for kind in kinds))
            for statement in (search, queries.beginnings(shape)):
                for node in nodes(await statement.expected(db, values)):
                    assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in BIG, (name, node)


async def test_where_all_is_looked_at_nothing_is_looked_up_twice(site: Site, max: Person) -> None:
    shape = Shape(KINDS, frozenset({"sponsor"}), frozenset())
    later = queries.BEFORE_ALL + timedelta(days=1)
    for way in get_args(Way):
        statement = queries.search(shape, tuple((kind, way) for kind in KINDS))
        async with planning(site) as db:
            for words, since in product(("'soot'", "'soot':*"), (queries.BEFORE_ALL, later)):
                values = {"words": words, "whole": "'soot'", "limit": 10, "offset": 0, "viewer": max.id}
                values |= {"entry_since": since, "document_since": since}
                plan = list(nodes(await statement.expected(db, values)))
                again = words == "'soot':*" if way == "Whole" else since == later
                for kind in KINDS:
                    rest = next(node for node in plan if node.get("Subplan Name") == f"CTE {kind}_rest")
                    assert (rest.get("One-Time Filter") != "false") == again, (way, words, rest)


async def test_beginnings_are_looked_for_where_whole_words_are_too_few(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds count together, and a text that holds the very word is never shown twice."""
    rare = "z" + secrets.token_hex(6)
    made: dict[str, set[str]] = {}
    for word in (rare, f"{rare}ing"):
        entry = await makers.entry(cast.max, f"On {word}")
        document = await makers.document(cast.alice, title=f"Plan {word}")
        made[word] = {str(entry["id"]), str(document["id"])}
    shape = Shape(KINDS, frozenset({"sponsor"}), frozenset())
    values = {"words": f"'{rare}':*", "whole": f"'{rare}'", "limit": 10, "offset": 0, "viewer": cast.alice.id}
    for ranked, found in ((2, made[rare]), (3, set().union(*made.values()))):
        monkeypatch.setattr(queries, "_RANKED", literal_column(str(ranked), Integer()))
        statement = queries.search.__wrapped__(shape, tuple((kind, "Whole") for kind in KINDS))
        async with planning(site) as db:
            assert sorted(str(row.id) for row in await statement.all(db, values)) == sorted(found), ranked


async def test_near_words_are_found_by_their_letters(site: Site) -> None:
    """Of a few words reading all is quickest, so there are many for a moment; they leave no row behind."""
    async with as_owner(site.stack) as db:
        await db.set_type_codec("json", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        await db.execute("BEGIN")
        await db.executemany("INSERT INTO search_words VALUES ($1)", [(secrets.token_hex(8),) for _ in range(20_000)])
        await db.execute("SELECT gin_clean_pending_list('ix_search_words_word')")  # as autovacuum does
        await db.execute(f"ANALYZE search_words; {queries.BEGIN.partition(';')[2]}")
        near = await queries.near_words().expected(typed(Reader, Owner(db)), {"words": ["sooot", "gumm"]})
        await db.execute("ROLLBACK")
    assert "ix_search_words_word" in [node.get("Index Name") for node in nodes(near)]


async def test_common_words_are_looked_for_among_the_newest_only(site: Site, cast: Cast) -> None:
    """By whichever way, the same texts are found; of what is too old for its window nothing is lost either."""
    rare = "z" + secrets.token_hex(6)
    made = [(await makers.entry(cast.max, f"Number {number} {rare}"))["id"] for number in range(4)]
    shape = Shape(("entry",), frozenset(), frozenset())
    values = {"words": f"'{rare}'", "whole": f"'{rare}'", "limit": 10, "offset": 0}
    async with planning(site) as db:
        for way, since in product(
            get_args(Way), (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(tz=UTC) + timedelta(days=1))
        ):
            values |= {"entry_since": since}
            rows = await queries.search(shape, (("entry", way),)).all(db, values)
            assert sorted(str(row.id) for row in rows) == sorted(made), way


@pytest.mark.parametrize("common", [0, 10**9])
async def test_in_a_big_library_the_newest_are_looked_at_first(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    """One round trip more finds out where they begin; what is older is found as well where they are too few."""
    rare = "z" + secrets.token_hex(6)
    made = [(await makers.entry(cast.max, f"On {rare}"))["id"] for _ in range(3)]
    made.append((await makers.document(cast.alice, title=f"Plan {rare}"))["id"])
    monkeypatch.setattr(queries, "MANY", -1)
    monkeypatch.setattr(queries, "_FEW", -1)
    monkeypatch.setattr(queries, "_COMMON", common)
    monkeypatch.setattr(queries, "enough", lambda matches, texts: 1)
    sent, found = await asked(site, cast.ada.program, f"q={rare}")
    assert (len(sent), {item["id"] for item in found["items"]}) == (5, set(made)), sent


def test_which_way() -> None:
    ways = [queries.way(matches, 200_000) for matches in (1, 400, 401, 19_999, 20_000, 200_000)]
    assert ways == ["Whole", "Whole", "Named", "Named", "Opened", "Opened"]
    assert queries.way(queries.MANY, queries.MANY) == "Whole"
    looked_at = [queries.enough(matches, 200_000) for matches in (401, 20_000, 200_000)]
    assert looked_at == [25_000, 4_000, 2 * queries.RANKED]


@dataclass
class Owner:
    """The owner of the tables, asked as a reader is."""

    driver: asyncpg.Connection


@asynccontextmanager
async def planning(site: Site) -> AsyncIterator[Reader]:
    async with site.resources.database.read() as db:
        await db.driver.execute(queries.BEGIN)
        yield db
        await db.driver.execute("ROLLBACK")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
