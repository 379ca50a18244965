"""What keeps searches quick, looked up in plans and counted instead of timed; milliseconds belong to `bench/search.py`."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args
from typing import cast as typed

import asyncpg
import pytest

from app.reader import Reader, Readers
from app.search import queries, shapes, ways, wording
from app.search.newest import Newest
from app.search.schemas import SearchQuery
from app.search.shapes import Kind, Shape
from app.search.ways import Expected, Way
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
            shape = Shape(kinds, roles, shapes.limits_of(query), ways.RANKED)
            since = datetime(2020, 1, 1, tzinfo=UTC)
            values = shapes.parameters(query, max.id) | {
                **wording.as_typed(["soot"]), "people": [max.id], "limit": 21, "offset": 0,
                "entry_since": since, "document_since": since, "entry_enough": 800, "document_enough": 800,
            }  # fmt: skip
            search = queries.search(shape, tuple((kind, way) for kind in kinds))
            for statement in (search, queries.beginnings(shape, kinds)):
                for node in nodes(await statement.expected(db, values)):
                    assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in BIG, (name, node)


async def test_where_all_is_looked_at_nothing_is_looked_up_twice(site: Site, max: Person) -> None:
    """Words without beginnings, of which every text was looked at; the plan knows it already."""
    shape = Shape(KINDS, frozenset({"sponsor"}), frozenset(), ways.RANKED)
    since = {"entry_since": queries.BEFORE_ALL, "document_since": queries.BEFORE_ALL}
    for way, word in product(get_args(Way), ("ink", "soot")):
        statement = queries.search(shape, tuple((kind, way) for kind in KINDS))
        values = {"limit": 10, "offset": 0, "viewer": max.id, "entry_enough": 800, "document_enough": 800}
        async with planning(site) as db:
            plan = list(nodes(await statement.expected(db, values | since | wording.as_typed([word]))))
        for kind in KINDS:
            rest = next(node for node in plan if node.get("Subplan Name") == f"CTE {kind}_rest")
            assert (rest.get("One-Time Filter") == "false") == (way == "Whole" and word == "ink"), (way, word, rest)


@pytest.mark.parametrize("enough", [1, 3, 4])
async def test_no_text_is_opened_before_its_turn(site: Site, enough: int) -> None:
    """The newest ones are taken in order, and only those that were taken are opened; older ones come from the index."""
    rare = "z" + secrets.token_hex(6)
    author = await makers.signed_in(site, "member")
    made = [(await makers.entry(author, f"Number {number} {rare}"))["id"] for number in range(3)]
    shape = Shape(("entry",), frozenset(), frozenset({"person"}), ways.RANKED)
    values = wording.as_typed([rare]) | {"limit": 10, "offset": 0, "people": [author.id], "entry_enough": enough}
    statement = queries.search(shape, (("entry", "Opened"),))
    async with planning(site) as db:
        plan = await db.driver.fetchval(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement._compiled[0]}",
            *[values[name] for name in statement._compiled[1]],
        )
        rows = await statement.all(db, values)
    by_name = {node["Subplan Name"]: node for node in nodes(plan[0]["Plan"]) if "Subplan Name" in node}
    assert sorted(str(row.id) for row in rows) == sorted(made)
    assert by_name["CTE entry_there"]["Actual Rows"] == min(enough, 3)
    assert (by_name["CTE entry_rest"]["Actual Rows"] == 3) == (enough <= 3)


async def test_beginnings_are_looked_for_where_whole_words_are_too_few(site: Site, cast: Cast) -> None:
    """Both kinds count together, and a text that holds the very word is never shown twice."""
    rare = "z" + secrets.token_hex(6)
    made: dict[str, set[str]] = {}
    for word in (rare, f"{rare}ing"):
        entry = await makers.entry(cast.max, f"On {word}")
        document = await makers.document(cast.alice, title=f"Plan {word}")
        made[word] = {str(entry["id"]), str(document["id"])}
    values = wording.as_typed([rare]) | {"limit": 10, "offset": 0, "viewer": cast.alice.id}
    for ranked, found in ((2, made[rare]), (3, set().union(*made.values()))):
        shape = Shape(KINDS, frozenset({"sponsor"}), frozenset(), ranked)
        statement = queries.search(shape, tuple((kind, "Whole") for kind in KINDS))
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
    shape = Shape(("entry",), frozenset(), frozenset(), ways.RANKED)
    values = wording.as_typed([rare]) | {"limit": 10, "offset": 0, "entry_enough": 2}
    async with planning(site) as db:
        for way, since in product(
            get_args(Way), (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(tz=UTC) + timedelta(days=1))
        ):
            values |= {"entry_since": since}
            rows = await queries.search(shape, (("entry", way),)).all(db, values)
            assert sorted(str(row.id) for row in rows) == sorted(made), way


@pytest.mark.parametrize(("way", "trips"), [("Opened", 4), ("Named", 5)])
async def test_in_a_big_library_the_newest_are_looked_at_first(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch, way: Way, trips: int
) -> None:
    """One round trip more finds out where they begin, once a minute; what is older is found as well where they are too few."""
    rare = "z" + secrets.token_hex(6)
    made = [(await makers.entry(cast.max, f"On {rare}"))["id"] for _ in range(3)]
    made.append((await makers.document(cast.alice, title=f"Plan {rare}"))["id"])
    monkeypatch.setattr(ways, "way", lambda numbers: way)
    monkeypatch.setattr(ways, "enough", lambda way, numbers, ranked: 1)
    monkeypatch.setitem(site.app.extensions, Newest.__name__, Newest())
    for expected in (trips, 4):
        with round_trips(site) as sent:
            answer = await cast.ada.program.get(f"/api/v1/search?q={rare}")
        found = {item["id"] for item in answer.json()["items"]}
        assert (len(sent), found) == (expected, set(made)), sent


async def test_where_the_newest_begin_is_remembered_by_number_and_kind(site: Site, cast: Cast) -> None:
    for _ in range(2):
        await makers.entry(cast.max, "Soot")
    shape = Shape(KINDS, frozenset({"admin"}), frozenset(), ways.RANKED)
    newest = Newest()
    async with site.resources.database.read() as db:
        few = await newest.since(db, shape, {"entry": 1, "document": 10**6}, {})
        assert few["document"] == queries.BEFORE_ALL < few["entry"]
        again = await newest.since(db, replace(shape, limits=frozenset({"tag"})), {"entry": 1}, {"tags": ["none"]})
        assert again == {"entry": few["entry"]}, "tags narrow down what matches, not where the newest texts begin"
        until = few["entry"] - timedelta(seconds=1)
        dated = replace(shape, limits=frozenset({"until"}))
        assert (await newest.since(db, dated, {"entry": 1}, {"until": until}))["entry"] <= until


def test_what_is_expected_is_never_nothing() -> None:
    plan = {"Plans": [{"Plan Rows": rows} for rows in (0, 0, 20_000, 5, 6, 7)]}
    numbers = queries.expected(plan, KINDS)
    assert numbers == {"entry": (1, 1, 20_000), "document": (5, 6, 7)}
    assert ways.enough(ways.way(numbers["entry"]), numbers["entry"], 200) == 400


def test_which_way() -> None:
    def chosen(within: int, *matches: int) -> list[Way]:
        return [ways.way(Expected(number, within, 200_000)) for number in matches]

    assert chosen(200_000, 1, 2_000, 2_001, 33_333, 33_334, 200_000) == [
        "Whole", "Whole", "Named", "Named", "Opened", "Opened",
    ]  # fmt: skip
    assert chosen(600, 1, 99, 100) == ["Whole", "Whole", "Opened"]
    assert ways.way(Expected(ways.MANY, ways.MANY, ways.MANY)) == "Whole"
    assert ways.enough("Whole", Expected(10, 100, 1_000), 200) == 0
    assert ways.enough("Named", Expected(20_000, 100_000, 200_000), 200) == 4_000
    assert [ways.enough("Opened", Expected(number, 600, 200_000), 200) for number in (100, 600, 700)] == [
        2_400,
        400,
        400,
    ]


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
