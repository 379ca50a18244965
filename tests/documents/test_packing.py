"""Versions as they are stored: small, whole, and cheap to read however many there are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

import pytest
import zstandard
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from app import migrations
from app.access import Actor
from app.access.actor import needs_of
from app.documents.schemas import DocumentChanges
from app.documents.service import save, version
from app.versions.packing import RUN, FullCopy, pack_bytes, unpack_bytes
from tests import makers
from tests.cast import Person
from tests.site import Site

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400)
SAVES, SIZE, BOUND = 1_000, 100_000, 20_000_000
ROW = 150  # bytes of a row beside its text


def writing(seed: int, size: int) -> Iterator[str]:
    """A text and what becomes of it, save by save: sentences come, go and change, as when somebody writes."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("aeiourstlnmdhbcgpvk", k=chance.randint(2, 10))) for _ in range(5_000)]

    def sentence() -> str:
        return " ".join(chance.choices(words, k=chance.randint(6, 18))).capitalize() + ". "

    text = ""
    while len(text) < size:
        text += sentence() + ("\n\n" if chance.random() < 0.2 else "")
    while True:
        yield text[:size]
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice((sentence(), "", words[0])) + text[place + chance.randint(0, 80) :]


@given(st.lists(TEXTS, min_size=1, max_size=2 * RUN + 5))
@settings(max_examples=60, deadline=None)
def test_what_goes_in_comes_out(texts: list[str]) -> None:
    """Every text of every history, one by one, needs its own bytes and at most one full copy."""
    kept: dict[int, tuple[bytes, int | None]] = {}
    copy: FullCopy | None = None
    for number, text in enumerate(texts, 1):
        packed = pack_bytes(text.encode(), number, copy)
        kept[number] = packed.data, packed.base
        if packed.base is None:
            copy = FullCopy(number, packed.data)
    for number, text in enumerate(texts, 1):
        data, base = kept[number]
        assert base is None or kept[base][1] is None
        assert unpack_bytes(data, kept[base][0] if base else None).decode() == text


def test_bytes_that_changed_are_noticed() -> None:
    whole = pack_bytes(b"One text that is long enough to be packed. " * 20, 1, None)
    later = pack_bytes(b"One text that is long enough to be packed! " * 20, 2, FullCopy(1, whole.data))
    for place in range(len(later.data)):
        spoilt = bytearray(later.data)
        spoilt[place] ^= 0x55
        with pytest.raises(zstandard.ZstdError):
            unpack_bytes(bytes(spoilt), whole.data if later.base else None)


def test_a_thousand_saves_of_a_long_text_stay_small() -> None:
    """1,000 saves of a 100 KB text take at most 20 MB."""
    texts = writing(11, SIZE)
    copy: FullCopy | None = None
    size = 0
    for number in range(1, SAVES + 1):
        packed = pack_bytes(next(texts).encode(), number, copy)
        size += len(packed.data) + ROW
        if packed.base is None:
            copy = FullCopy(number, packed.data)
    assert size < BOUND, f"{size / 1e6:.1f} MB"


async def test_saves_lie_in_the_database_as_small_and_are_read_back(site: Site, alice: Person) -> None:
    texts = writing(12, SIZE)
    made = await makers.document(alice, body=next(texts))
    document_id, actor = UUID(made["id"]), alice_as_actor(alice)
    kept = {}
    for number in range(2, 2 * RUN + 10):
        kept[number] = next(texts)
        async with site.resources.database.transaction() as db:
            await save(db, actor, document_id, DocumentChanges(body=kept[number]))
    measure = "SELECT sum(pg_column_size(versions)) AS bytes, count(body) AS plain, count(base) AS packed"
    (row,) = await site.rows(f"{measure} FROM document_versions versions WHERE document_id = :id", id=made["id"])
    assert row.bytes < len(kept) * BOUND / SAVES
    assert (row.plain, row.packed) == (0, len(kept) + 1 - 3), "three full copies, and none in plain"
    async with site.resources.database.read() as db:
        for number in (2, RUN, RUN + 1, RUN + 2, 2 * RUN + 9):
            assert (await version(db, actor, document_id, number)).body == kept[number]


async def test_a_save_by_the_release_before_is_read(site: Site, alice: Person) -> None:
    """Adjacent releases run together: what the older one writes in plain stays readable, and packing goes on after it."""
    made = await makers.document(alice, body="one")
    plain = (
        "UPDATE document_versions SET packed = NULL, base = NULL, brief = 'b', body = 'plain' WHERE document_id = :id"
    )
    await site.change(plain, id=made["id"])
    await alice.program.patch(f"/api/v1/documents/{made['id']}", {"body": "two"}, If_Match='"1"')
    found = [(await alice.program.get(f"/api/v1/documents/{made['id']}/versions/{number}")).json() for number in (1, 2)]
    assert [(version["brief"], version["body"]) for version in found] == [("b", "plain"), ("Ten pages.", "two")]


async def test_the_migration_packs_what_is_there_and_back(site: Site, alice: Person) -> None:
    made = await makers.document(alice, body="one")
    for number in range(1, 4):
        path = f"/api/v1/documents/{made['id']}"
        await alice.program.patch(path, {"body": f"text {number} " * 40}, If_Match=f'"{number}"')
    rows = "SELECT version, brief, body, packed, base FROM document_versions WHERE document_id = :id ORDER BY version"
    before = await site.rows(rows, id=made["id"])
    await migrate(site, "downgrade")
    plain = await site.rows(rows, id=made["id"])
    assert [row.body for row in plain] == ["one"] + [f"text {number} " * 40 for number in range(1, 4)]
    await site.change("UPDATE document_versions SET packed = NULL, base = NULL")
    await migrate(site, "upgrade")
    assert await site.rows(rows, id=made["id"]) == before


async def migrate(site: Site, direction: str) -> None:
    """Run the packing migration as a migration job does, over the tables that are there."""
    scripts = ScriptDirectory(str(migrations.SCRIPTS))
    module = scripts.get_revision("writing_packed").module

    def run(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            getattr(module, direction)()

    async with site.resources.database.transaction() as db:
        await (await db.connection()).run_sync(run)


def alice_as_actor(person: Person) -> Actor:
    roles = frozenset(person.roles)
    return Actor(
        id=person.id,
        auth_type="system",
        provides=needs_of(person.id, roles, "active", None),
        display_name=person.name,
        roles=roles,
        status="active",
    )
