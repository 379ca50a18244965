"""How long a search takes at 200,000 documents and as many journal entries.

Run with `python -m bench.search`: it makes servers and such a library in a temporary folder (or in `--folder`, which is
kept and used again), asks a running application over HTTP, and ends with 1 when a 99th percentile is over 100 ms: of any kind
of search by one caller at a time, or of all kinds together, by everybody, `--rate` in a second.  Those come when they come,
whether or not the ones before were answered, and wait from that moment on.  What eight callers get who never pause is written
beside it: that is what the machine can do, and however short a search is, eight of them share it.  Every search of a kind
asks for other words.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from math import ceil
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

import asyncpg
import click
import httpx

from bench.house import free_port, until_up
from bench.texts import fill, word
from local.stack import Stack
from tests import makers
from tests.cast import Person
from tests.site import Site, as_owner, running

BOUND = 0.100
TOGETHER = 8
SPONSOR, EDITOR, ADMIN, VISITOR = "sponsor", "editor", "admin", "visitor"
EVERYBODY = (VISITOR, SPONSOR, EDITOR, ADMIN)
Asked = Callable[[int], dict[str, object]]


def _words(*ranks: int) -> Asked:
    """Words of about these ranks, others each time."""
    return lambda number: {"q": " ".join(word(rank + number % max(1, rank // 4)) for rank in ranks)}


def _with(asked: Asked, **more: object) -> Asked:
    return lambda number: asked(number) | more


def _misspelt(*ranks: int) -> Asked:
    """Words with another letter in their middle."""
    return lambda number: {
        "q": " ".join(one[:3] + "x" + one[4:] for one in (word(rank + number % 500) for rank in ranks))
    }


# What is asked and by whom; the share of texts that hold such words stands beside it.
SEARCHES: dict[str, tuple[Asked, tuple[str, ...]]] = {
    "a rare word (1 text in 1,000)": (_words(20_000), EVERYBODY),
    "a word in 1 of 50": (_words(1_200), EVERYBODY),
    "a word in 1 of 16": (_words(240), EVERYBODY),
    "a word in 1 of 7": (_words(90), EVERYBODY),
    "a word in nearly all": (_words(0), EVERYBODY),
    "two words in nearly all": (_words(1, 2), EVERYBODY),
    "five words": (_words(3, 12, 40, 100, 300), EVERYBODY),
    "rare and common words": (_words(0, 9_000, 5), EVERYBODY),
    "a typo": (_misspelt(5_000), EVERYBODY),
    "three typos": (_misspelt(5_000, 6_000, 7_000), (VISITOR, ADMIN)),
    "nothing like it": (lambda number: {"q": f"qqq{number}xyz"}, (VISITOR, ADMIN)),
    "common, by state": (_with(_words(0), state="draft"), (SPONSOR, EDITOR, ADMIN)),
    "common, by a rare state": (_with(_words(60), state="returned"), (SPONSOR, EDITOR, ADMIN)),
    "common, by person": (_with(_words(0), person="edgar"), EVERYBODY),
    "common, by many people": (_with(_words(0), person="kaya"), (VISITOR, ADMIN)),
    "common, by nobody": (_with(_words(0), person="zzz"), (VISITOR, ADMIN)),
    "common, by tag": (_with(_words(0), tag=word(70)), (VISITOR, ADMIN)),
    "common, by a rare tag": (_with(_words(0), tag=word(300)), (VISITOR, ADMIN)),
    "common, by dates long ago": (_with(_words(0), since="2021-01-01", until="2022-03-01"), (VISITOR, ADMIN)),
    "common, all limits": (_with(_words(0), state="published", person="edgar", tag=word(71)), (EDITOR, ADMIN)),
    "a deep page": (_with(_words(5), deep=180), (VISITOR, ADMIN)),
    "a page of a hundred": (_with(_words(5), limit=100), (VISITOR, ADMIN)),
}


@click.command()
@click.option("--texts", default=200_000, show_default=True, help="How many documents, and how many entries.")
@click.option(
    "--rounds", default=200, show_default=True, help="How often each search is asked, at each number of callers."
)
@click.option("--rate", default=20.0, show_default=True, help="Searches of all kinds that come in a second.")
@click.option("--folder", type=Path, help="Where the database lies; kept, and used again by the next run.")
@click.option("--only", default="", help="Only searches with this in their names.")
def main(texts: int, rounds: int, rate: float, folder: Path | None, only: str) -> None:
    """Fill a database, ask, and say what it took."""
    place = folder or Path(tempfile.mkdtemp(prefix="sbench-"))
    place.mkdir(mode=0o711, exist_ok=True)
    for left in place.glob("a[0-9]*"):  # an earlier run's application
        shutil.rmtree(left)
    stack = Stack(place)
    try:
        stack.start()
        stack.migrate()
        people = asyncio.run(_people(stack, texts))
        with _serving(stack) as url:
            slow = asyncio.run(_measure(url, people, rounds, rate, only))
    finally:
        stack.stop()
        if folder is None:
            shutil.rmtree(place)
    sys.exit(1 if slow else 0)


async def _measure(url: str, people: dict[str, Person], rounds: int, rate: float, only: str) -> list[str]:
    slow = []
    print(f"{'':32} {'caller':8} {'found':>5} {'one: median':>12} {'p99':>9}  {f'{TOGETHER} at once':>10} {'p99':>9}")
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=100)) as http:
        tokens = {}
        for role, person in people.items():  # by this very application: tokens name the one that gave them
            answer = await http.post("/api/login", json={"email": person.email, "password": person.password})
            tokens[role] = answer.json()["access_token"]
        mixed = []
        for name, (asked, callers) in SEARCHES.items():
            for caller in callers if only in name else ():
                searches = await _searches(http, asked, tokens.get(caller, ""))
                await _ask(http, searches, 12, TOGETHER)  # a while in use
                found, alone = await _ask(http, searches, rounds, 1)
                _, together = await _ask(http, searches, rounds, TOGETHER)
                figures = "  ".join(
                    f"{median(times) * 1e3:7.1f} ms {_p99(times) * 1e3:6.1f} ms" for times in (alone, together)
                )
                print(f"{name:32} {caller:8} {found:5}   {figures}", flush=True)
                mixed.append(searches)
                if _p99(alone) > BOUND:
                    slow.append(f"{name} ({caller})")
        times = await _come(http, mixed, rate, max(TOGETHER, rounds * len(mixed) // 10))
        said = f"{median(times) * 1e3:.1f} ms, p99 {_p99(times) * 1e3:.1f} ms"
        print(f"all of them mixed, {len(times)}, {rate:g} in a second: {said}")
        if _p99(times) > BOUND:
            slow.append("all of them mixed")
    print(f"over {BOUND * 1e3:.0f} ms: {', '.join(slow) or 'nothing'}")
    return slow


async def _searches(http: httpx.AsyncClient, asked: Asked, token: str) -> Iterator[httpx.Request]:
    """Requests, one after the other; a deep page is asked for by the cursor that leads to it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    first, more = asked(0), {}
    deep = first.get("deep")
    if deep:
        query = {**first, "limit": deep // 2}
        del query["deep"]
        for _ in range(2):
            answer = await http.get("/api/v1/search", params=query, headers=headers)
            query["cursor"] = answer.json()["next_cursor"]
        more = query | {"limit": 20}
    return (
        http.build_request("GET", "/api/v1/search?" + urlencode(more or {**asked(number)}, doseq=True), headers=headers)
        for number in count()
    )


async def _ask(
    http: httpx.AsyncClient, searches: Iterator[httpx.Request], rounds: int, together: int
) -> tuple[int, list[float]]:
    """How many were found on average, and how long it took."""
    times: list[float] = []
    found = 0

    async def caller() -> None:
        nonlocal found
        for _ in range(ceil(rounds / together)):
            request = next(searches)
            start = perf_counter()
            answer = await http.send(request)
            times.append(perf_counter() - start)
            assert answer.is_success, answer.text
            found += len(answer.json()["items"])

    async with asyncio.TaskGroup() as callers:
        for _ in range(together):
            callers.create_task(caller())
    return found // len(times), times


async def _come(http: httpx.AsyncClient, kinds: list[Iterator[httpx.Request]], rate: float, rounds: int) -> list[float]:
    """How long searches of any of these kinds took that come by chance, so many in a second."""
    random, times = Random(rounds), []

    async def ask(request: httpx.Request, due: float) -> None:
        answer = await http.send(request)
        times.append(perf_counter() - due)
        assert answer.is_success, answer.text

    due = perf_counter()
    async with asyncio.TaskGroup() as callers:
        for _ in range(rounds):
            due += random.expovariate(rate)
            await asyncio.sleep(due - perf_counter())
            callers.create_task(ask(next(random.choice(kinds)), due))
    return times


def _p99(times: list[float]) -> float:
    return sorted(times)[ceil(len(times) * 0.99) - 1]


async def _people(stack: Stack, texts: int) -> dict[str, Person]:
    """Who asks: somebody from outside, the sponsor and the editor with most of all, and an administrator."""
    async with running(stack) as site, as_owner(stack) as db:
        await db.execute("SET search_path = app; SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
        people = {
            role: await _known(site, db, name) or await makers.signed_in(site, role, name=name)
            for role, name in ((SPONSOR, "Nora"), (EDITOR, "Edgar"), (ADMIN, "Ada"))
        }
        if await db.fetchval("SELECT count(*) FROM documents") < texts:
            start = perf_counter()
            await fill(db, texts, {role: person.id for role, person in people.items()})
            for table in ("people", "entries", "documents", "search_words"):
                await db.execute(f"VACUUM ANALYZE {table}")
            print(f"filled in {perf_counter() - start:.0f} s", flush=True)
        return people


async def _known(site: Site, db: asyncpg.Connection, name: str) -> Person | None:
    """Somebody of an earlier run, whose password nobody kept: they get another one."""
    row = await db.fetchrow("SELECT id, email, roles FROM people WHERE display_name = $1", name)
    if row is None:
        return None
    password = makers.passphrase()
    hashed = await site.resources.passwords.hash(password)
    await db.execute("UPDATE people SET password_hash = $2 WHERE id = $1", row["id"], hashed)
    return await Person(site, row["id"], name, row["email"], password, tuple(row["roles"]), "active").sign_in()


@contextmanager
def _serving(stack: Stack) -> Iterator[str]:
    """The application as it is run, with two workers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = stack.environment() | {
        "SCRIPTORIUM_PORT": str(port),
        "SCRIPTORIUM_PUBLIC_URL": url,
        "SCRIPTORIUM_LIMIT_SCALE": "100000",
        "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(stack.wrap_secret_id()),
    }
    with (stack.state / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"], env={**os.environ, **environment}, stdout=log, stderr=log
        )
        try:
            until_up(f"{url}/health/ready")
            yield url
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
