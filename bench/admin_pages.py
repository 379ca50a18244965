"""How long each page of the administration takes at 100,000 people and 2,000,000 audit events.

Run with `python -m bench.admin_pages`: it makes servers and such a database in a temporary folder, asks for every page
in turn through the whole application, and ends with 1 when the 95th percentile of any is over 300 ms.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
import click
import httpx

from local.stack import Stack
from tests import makers
from tests.site import Site, as_owner, running

BOUND = 0.300


@dataclass(frozen=True)
class Measured:
    """The times of one page, in seconds; `slow` is the 95th percentile."""

    name: str
    median: float
    slow: float
    slowest: float


TABLES = ("people", "sessions", "token_families", "account_changes", "documents", "entries", "audit_events", "refusals")
# Written with generate_series: the numbers stand for :people and :events.
FILL = (
    """
    INSERT INTO people (id, email, email_key, display_name, password_hash, roles, status, status_since, status_until,
      epoch, version, created_at, updated_at)
    SELECT gen_random_uuid(), mail, mail, first || ' ' || last || ' ' || n, '-',
      CASE n % 10 WHEN 0 THEN ARRAY['sponsor'] WHEN 1 THEN ARRAY['editor'] WHEN 2 THEN ARRAY['sponsor', 'editor']
        ELSE ARRAY['member'] END,
      CASE WHEN n % 100 < 90 THEN 'active' WHEN n % 100 < 94 THEN 'pending' WHEN n % 100 < 97 THEN 'declined'
        ELSE 'suspended' END,
      moment, CASE WHEN n % 100 = 99 THEN now() + interval '30 days' END, 0, 1, moment, moment
    FROM (
      SELECT n, first, last, lower(first) || '.' || lower(last) || n || '@example.org' AS mail,
        now() - (n::float / $1 * interval '900 days') AS moment
      FROM generate_series(1, $1) AS n,
      LATERAL (SELECT (ARRAY['Anna','Bela','Chika','Dario','Elif','Farid','Greta','Hiro','Ines','Jonas'])[1 + n % 10]
        AS first, (ARRAY['Adler','Brandt','Costa','Duran','Eriksen','Fofana','Garcia','Haas'])[1 + n / 10 % 8] AS last)
    )
    """,
    """
    INSERT INTO sessions (id, token_hash, person_id, epoch, created_at, last_seen_at, fresh_at, ends_at, device,
      address)
    SELECT gen_random_uuid(), sha256(uuid_send(gen_random_uuid())), id, 0, now() - interval '1 day', now(), now(),
      now() + interval '30 days', 'Firefox 132 on Linux', '203.0.113.7'
    FROM people, generate_series(1, 2)
    """,
    """
    INSERT INTO token_families (id, person_id, epoch, client_id, scopes, created_at, ends_at, device, address)
    SELECT gen_random_uuid(), id, 0, 'first-party', ARRAY['profile:read'], now(), now() + interval '30 days', 'curl', ''
    FROM people
    """,
    """
    INSERT INTO account_changes (id, person_id, at, actor_name, to_status, to_roles, reason, message)
    SELECT gen_random_uuid(), id, created_at, '', status, roles, 'registered', '' FROM people
    """,
    """
    INSERT INTO entries (id, title, body, author_id, published_at, updated_at)
    SELECT gen_random_uuid(), 'Entry', 'Text', id, created_at, created_at FROM people LIMIT $1 / 2
    """,
    """
    INSERT INTO documents (id, title, brief, body, state, sponsor_id, created_at, updated_at)
    SELECT gen_random_uuid(), 'A document', '', 'Text', (ARRAY['draft', 'published', 'cancelled'])[1 + n % 3], id,
      created_at, created_at
    FROM people, generate_series(1, 5) AS n WHERE 'sponsor' = ANY(roles)
    """,
    """
    INSERT INTO refusals (day, rule, count)
    SELECT (now() AT TIME ZONE 'UTC')::date - n, rule, n * 7 + 3
    FROM generate_series(0, 59) AS n, unnest(ARRAY['PAGES', 'API', 'SIGN_IN']) AS rule
    """,
)
# Four months, so that the thirty days of the overview hold half a million of them.
TRAIL = """
    INSERT INTO audit_events (id, at, kind, actor_id, actor_name, actor_via, target_type, target_id, address,
      request_id, details, salt, personal_digest)
    SELECT gen_random_uuid(), now() - (n::float / $1 * interval '120 days'),
      (ARRAY['token.refreshed', 'session.opened', 'token.refreshed', 'token.granted', 'document.saved',
        'session.opened', 'session.ended', 'sign_in.refused', 'document.saved', 'token.refreshed', 'session.opened',
        'token.granted', 'document.commissioned', 'document.published', 'entry.published',
        'session.ended'])[1 + n % 16],
      person.id, 'Somebody', 'password', 'person', person.id::text, '203.0.113.7', 'request', '{}',
      '\\x00', sha256('\\x00')
    FROM generate_series($2::int, $3::int) AS n
    JOIN (SELECT id, row_number() OVER () AS number FROM people) AS person ON person.number = 1 + n % $4
"""
PAGES = {
    "overview": "/admin/",
    "queue": "/admin/queue",
    "queue, searched": "/admin/queue?q=costa",
    "people": "/admin/people",
    "people, a rare word": "/admin/people?q=fofana99",
    "people, a common word": "/admin/people?q=example.org",
    "people, two letters": "/admin/people?q=zz",
    "people, nobody found": "/admin/people?q=nobodyhasthisname",
    "people, suspended editors": "/admin/people?status=suspended&role=editor",
    "people, administrators": "/admin/people?role=admin",
    "one person": "/admin/people/{person}",
    "sessions": "/admin/sessions",
    "sessions, a rare word": "/admin/sessions?q=fofana99",
    "sessions, a common word": "/admin/sessions?q=example.org",
    "sessions, nobody found": "/admin/sessions?q=nobodyhasthisname",
    "audit": "/admin/audit",
    "audit, one kind": "/admin/audit?kind=sign_in.",
    "audit, one actor": "/admin/audit?actor={person}",
    "audit, one target": "/admin/audit?target={person}",
}
PROGRAMS = {
    "overview, JSON": "/api/v1/admin/overview",
    "people, JSON": "/api/v1/admin/people?q=costa&limit=100",
    "sessions, JSON": "/api/v1/admin/sessions?limit=100",
    "audit, JSON": "/api/v1/admin/audit?limit=100",
}


@click.command()
@click.option("--people", default=100_000, show_default=True, help="How many people there are.")
@click.option("--events", default=2_000_000, show_default=True, help="How many audit events.")
@click.option("--rounds", default=20, show_default=True, help="How often each page is asked for.")
def main(people: int, events: int, rounds: int) -> None:
    """Make the database, ask for the pages, print a table."""
    sys.exit(asyncio.run(_measure(people, events, rounds)))


async def _measure(people: int, events: int, rounds: int) -> int:
    async with _stack() as stack:
        async with as_owner(stack) as db:
            await _fill(db, people, events)
            somebody = str(await db.fetchval("SELECT id FROM people WHERE status = 'active' LIMIT 1"))
        async with running(stack, LOG_LEVEL="error") as site:
            await _sealed(site, events)
            measured = await _measure_pages(site, somebody, rounds)
    return _report(measured, people, events, rounds)


async def _measure_pages(site: Site, somebody: str, rounds: int) -> list[Measured]:
    admin = await makers.signed_in(site, "admin")
    measured = [await _ask(admin.browser.get, name, path, somebody, rounds) for name, path in PAGES.items()]
    return measured + [await _ask(admin.program.get, name, path, somebody, rounds) for name, path in PROGRAMS.items()]


def _report(measured: list[Measured], people: int, events: int, rounds: int) -> int:
    print(f"\n{people:,} people, {events:,} audit events, {rounds} requests for each\n")
    print(f"{'page':28}{'median ms':>11}{'p95 ms':>9}{'max ms':>9}")
    for one in measured:
        print(f"{one.name:28}{one.median * 1000:11.1f}{one.slow * 1000:9.1f}{one.slowest * 1000:9.1f}")
    over = [one.name for one in measured if one.slow > BOUND]
    print(f"\nover {BOUND * 1000:.0f} ms: {', '.join(over) or 'none'}")
    return 1 if over else 0


async def _sealed(site: Site, events: int) -> None:
    """Wait until the sealer has caught up with what it finds here: it works in this process, too."""
    while (done := (await site.rows("SELECT coalesce(sum(events), 0) FROM audit_seals"))[0][0]) < events:
        print(f"{done:,} events sealed", flush=True)
        await asyncio.sleep(5)


async def _ask(
    get: Callable[[str], Awaitable[httpx.Response]], name: str, path: str, somebody: str, rounds: int
) -> Measured:
    taken: list[float] = []
    for _ in range(rounds):
        began = perf_counter()
        answer = await get(path.format(person=somebody))
        taken.append(perf_counter() - began)
        assert answer.is_success, f"{path}: {answer.status_code}"
    taken.sort()
    return Measured(name, median(taken), taken[ceil(len(taken) * 0.95) - 1], taken[-1])


async def _fill(db: asyncpg.Connection, people: int, events: int) -> None:
    began = perf_counter()
    for statement in FILL:
        await db.execute(statement, *([people] if "$1" in statement else []))
    step = 250_000
    for start in range(1, events + 1, step):
        await db.execute(TRAIL, events, start, min(events, start + step - 1), people)
        print(f"{min(events, start + step - 1):,} events after {perf_counter() - began:.0f} s", flush=True)
    for table in TABLES:
        await db.execute(f"VACUUM ANALYZE {table}")


@asynccontextmanager
async def _stack() -> AsyncIterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="sb-"))
    stack = Stack(folder)
    try:
        await asyncio.to_thread(stack.start)
        await asyncio.to_thread(stack.migrate)
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
