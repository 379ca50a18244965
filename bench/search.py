"""How long a search takes at 200,000 documents and as many journal entries.

Run with `python -m bench.search`: it makes servers and such a database in a temporary folder (or in `--folder`, which is
kept and used again), asks through the whole application, and ends with 1 when the 99th percentile of any kind of search
is over 100 ms.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
import click

from local.stack import Stack
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site, as_owner, running

BOUND = 0.100
WORDS = 20_000
# A text of some 120 words; word k comes about k times as rarely as the first, as in any language.
TEXT = """
    (SELECT string_agg('w' || to_hex((power($2::float, random()))::int * 7919 % 1048576), ' ')
     FROM generate_series(1, 120) WHERE n > 0)
"""
ENTRIES = f"""
    INSERT INTO entries (id, title, body, author_id, published_at, updated_at)
    SELECT gen_random_uuid(), 'Entry ' || (ARRAY['on ink', 'about paper', 'of margins', 'for readers'])[1 + n % 4] || ' '
      || to_hex(n * 31 % 65536), {TEXT}, $3, now() - n * interval '1 minute', now()
    FROM generate_series(1, $1::int) AS n
"""
# Every twentieth is Nora's, every fiftieth Edgar's to write, every thousandth was returned.
DOCUMENTS = f"""
    INSERT INTO documents (id, title, brief, body, state, sponsor_id, editor_id, created_at, updated_at)
    SELECT gen_random_uuid(), 'Document ' || (ARRAY['on ink', 'about paper'])[1 + n % 2] || ' ' || to_hex(n * 31 % 65536), '',
      {TEXT}, CASE WHEN n % 1000 = 7 THEN 'returned' ELSE (ARRAY['draft', 'cancelled'])[1 + n % 2] END,
      CASE n % 20 WHEN 0 THEN $3::uuid ELSE $4::uuid END, CASE n % 50 WHEN 1 THEN $5::uuid END,
      now(), now() - n * interval '1 minute'
    FROM generate_series(1, $1::int) AS n
"""
SEARCHES = {
    "in 1 of 1,000 texts": "q=w483e8",
    "in 1 of 20": "q=wc6565",
    "in 1 of 10": "q=we8008",
    "in all": "q=w1eef",
    "in every title": "q=document",
    "two in all": "q=w1eef%20w3dde",
    "rare and common": "q=w483e8%20w1eef",
    "a beginning": "q=w1e4",
    "titles only": "q=margins%20entry",
    "a typo": "q=marjins",
    "two typos": "q=docment%20papper",
    "nothing at all": "q=zzzznothing",
    "common, by state": "q=w1eef&state=draft",
    "common, by rare state": "q=w1eef&state=returned",
    "common, by person": "q=w1eef&person=nora",
    "common, by nobody": "q=w1eef&person=zzz",
    "rare, by person": "q=w483e8&person=nora",
    "common, by date": "q=w1eef&since=2020-01-01&until=2035-01-01",
    "a hundred": "q=w1eef&limit=100",
}


@click.command()
@click.option("--texts", default=200_000, show_default=True, help="How many documents, and how many entries.")
@click.option("--rounds", default=100, show_default=True, help="How often each search is asked.")
@click.option("--folder", type=Path, help="Where the database lies; kept, and used again by the next run.")
def main(texts: int, rounds: int, folder: Path | None) -> None:
    """Fill a database, ask, and say what it took."""
    place = folder or Path(tempfile.mkdtemp(prefix="sbench-"))
    place.mkdir(mode=0o711, exist_ok=True)
    for left in place.glob("a[0-9]*"):  # an earlier run's application
        shutil.rmtree(left)
    stack = Stack(place)
    try:
        stack.start()
        stack.migrate()
        slow = asyncio.run(_measure(stack, texts, rounds))
    finally:
        stack.stop()
        if folder is None:
            shutil.rmtree(place)
    sys.exit(1 if slow else 0)


async def _measure(stack: Stack, texts: int, rounds: int) -> list[str]:
    slow = []
    async with running(stack) as site:
        callers = await _callers(site, texts)
        print(
            f"{'words':24} {'caller':8} {'found':>6} {'median':>9} {'p99':>9} {'slowest':>9}   of {texts:,} and {texts:,}"
        )
        for name, query in SEARCHES.items():
            for caller, program in callers.items():
                found, times = await _ask(program, f"/api/v1/search?{query}", rounds)
                p99 = times[ceil(len(times) * 0.99) - 1]
                figures = f"{median(times) * 1e3:6.1f} ms {p99 * 1e3:6.1f} ms {times[-1] * 1e3:6.1f} ms"
                print(f"{name:24} {caller:8} {found:6} {figures}", flush=True)
                if p99 > BOUND:
                    slow.append(f"{name} ({caller})")
    print(f"over {BOUND * 1e3:.0f} ms: {', '.join(slow) or 'nothing'}")
    return slow


async def _ask(program: Program, path: str, rounds: int) -> tuple[int, list[float]]:
    """How many were found, and how long it took, the shortest first; the first time warms up and does not count."""
    times, found = [], 0
    for _ in range(rounds + 1):
        start = perf_counter()
        answer = await program.get(path)
        times.append(perf_counter() - start)
        assert answer.is_success, answer.text
        found = len(answer.json()["items"])
    return found, sorted(times[1:])


async def _callers(site: Site, texts: int) -> dict[str, Program]:
    """Who asks: somebody from outside, a sponsor of one text in twenty, an editor of one in fifty, an administrator."""
    nora = await makers.signed_in(site, "sponsor", name="Nora")
    edgar = await makers.signed_in(site, "editor", name="Edgar")
    ada = await makers.signed_in(site, "admin", name="Ada")
    async with as_owner(site.stack) as db:
        await db.execute("SET search_path = app; SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
        if await db.fetchval("SELECT count(*) FROM documents") < texts:
            await _fill(db, texts, nora, edgar, await makers.person(site, "sponsor"))
        else:  # the people of an earlier run, whose passwords nobody kept
            await db.execute("UPDATE documents SET editor_id = $1 WHERE editor_id IS NOT NULL", edgar.id)
            await db.execute(
                "UPDATE documents SET sponsor_id = $1 WHERE sponsor_id IN (SELECT id FROM people "
                "WHERE display_name = 'Nora')",
                nora.id,
            )
        for table in ("entries", "documents", "search_words"):
            await db.execute(f"VACUUM ANALYZE {table}")
    return {"visitor": site.program(), "sponsor": nora.program, "editor": edgar.program, "admin": ada.program}


async def _fill(db: asyncpg.Connection, texts: int, nora: Person, edgar: Person, other: Person) -> None:
    start = perf_counter()
    for table, statement, people in (
        ("entries", ENTRIES, (nora.id,)),
        ("documents", DOCUMENTS, (nora.id, other.id, edgar.id)),
    ):
        made = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname LIKE 'ix_%'"
        indexes = await db.fetch(made, table)
        for index in indexes:  # made anew when all is there, they take a fraction of the time
            await db.execute(f"DROP INDEX {index['indexname']}")
        await db.execute(statement, texts, WORDS, *people)
        for index in indexes:
            await db.execute(index["indexdef"])
    print(f"filled in {perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
