"""How long a search takes at 200,000 documents and as many journal entries.

Run with `python -m bench.search`: it makes servers and such a database in a temporary folder, asks through the whole
application, and ends with 1 when the 99th percentile of any kind of search is over 100 ms.
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
from tests.site import as_owner, running

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
DOCUMENTS = f"""
    INSERT INTO documents (id, title, brief, body, state, sponsor_id, created_at, updated_at)
    SELECT gen_random_uuid(), 'Document ' || (ARRAY['on ink', 'about paper'])[1 + n % 2] || ' ' || to_hex(n * 31 % 65536), '',
      {TEXT}, (ARRAY['draft', 'cancelled'])[1 + n % 2], CASE n % 20 WHEN 0 THEN $3::uuid ELSE $4::uuid END,
      now(), now() - n * interval '1 minute'
    FROM generate_series(1, $1::int) AS n
"""
SEARCHES = {
    "one rare word": "q=wa9f1",
    "one common word": "q=w1eef",
    "a word in every title": "q=document",
    "two common words": "q=w1eef%20w3dde",
    "a rare and a common word": "q=wa9f1%20w1eef",
    "a beginning": "q=w1e4",
    "titles only": "q=margins%20entry",
    "a typo": "q=marjins",
    "nothing at all": "q=zzzznothing",
    "by state": "q=w1eef&state=draft",
    "by person": "q=w1eef&person=nora",
    "by date": "q=w1eef&since=2020-01-01&until=2035-01-01",
    "a hundred": "q=w1eef&limit=100",
}


@click.command()
@click.option("--texts", default=200_000, show_default=True, help="How many documents, and how many entries.")
@click.option("--rounds", default=100, show_default=True, help="How often each search is asked.")
def main(texts: int, rounds: int) -> None:
    """Fill a database, ask, and say what it took."""
    folder = Path(tempfile.mkdtemp(prefix="sbench-"))
    stack = Stack(folder)
    try:
        stack.start()
        stack.migrate()
        slow = asyncio.run(_measure(stack, texts, rounds))
    finally:
        stack.stop()
        shutil.rmtree(folder)
    sys.exit(1 if slow else 0)


async def _measure(stack: Stack, texts: int, rounds: int) -> list[str]:
    slow = []
    async with running(stack) as site:
        nora = await makers.signed_in(site, "sponsor", name="Nora")
        other = await makers.person(site, "sponsor")
        async with as_owner(stack) as db:
            await _fill(db, texts, nora, other)
        print(
            f"{'search':28} {'caller':8} {'median':>9} {'p99':>9} {'slowest':>9}   at {texts:,} documents and entries"
        )
        for name, query in SEARCHES.items():
            for caller, program in (("visitor", site.program()), ("sponsor", nora.program)):
                times = []
                for _ in range(rounds):
                    start = perf_counter()
                    answer = await program.get(f"/api/v1/search?{query}")
                    times.append(perf_counter() - start)
                    assert answer.is_success, answer.text
                times.sort()
                p99 = times[ceil(len(times) * 0.99) - 1]
                print(
                    f"{name:28} {caller:8} {median(times) * 1e3:6.1f} ms {p99 * 1e3:6.1f} ms {times[-1] * 1e3:6.1f} ms"
                )
                if p99 > BOUND:
                    slow.append(f"{name} ({caller})")
    print(f"over {BOUND * 1e3:.0f} ms: {', '.join(slow) or 'nothing'}")
    return slow


async def _fill(db: asyncpg.Connection, texts: int, nora: Person, other: Person) -> None:
    await db.execute("SET search_path = app")
    await db.execute("SET statement_timeout = 0")
    start = perf_counter()
    await db.execute(ENTRIES, texts, WORDS, nora.id)
    await db.execute(DOCUMENTS, texts, WORDS, nora.id, other.id)
    await db.execute("VACUUM ANALYZE entries")
    await db.execute("VACUUM ANALYZE documents")
    print(f"filled in {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
