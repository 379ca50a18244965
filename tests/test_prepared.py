"""Prepared statements: straight on the driver or through SQLAlchemy the answer is the same, and what cannot be so is refused."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    PickleType,
    Text,
    Uuid,
    bindparam,
    column,
    literal,
    literal_column,
    select,
    table,
)

from app.access import Actor
from app.documents import queries
from app.documents.schemas import DocumentView
from app.prepared import Prepared
from app.reader import Reader
from tests import makers
from tests.cast import Person
from tests.site import Site

TRAIL = table("audit_events", column("id", Uuid()), column("details", PickleType()), column("kind", Text()))


def acting(person: Person, *roles: str) -> Actor:
    return Actor(id=person.id, roles=frozenset(roles), status="active")


async def test_the_driver_and_sqlalchemy_answer_the_same(site: Site, alice: Person, bob: Person, ada: Person) -> None:
    made = await makers.document(alice, bob, "in_progress", body="Ink, *gum*\nand \U0001f58b water.")
    path = f"/api/v1/documents/{made['id']}"
    assert (await alice.program.patch(path, {"tags": ["ink", "墨"]}, If_Match="*")).status_code == 200
    for actor in (acting(alice, "sponsor"), acting(bob, "editor"), acting(ada, "admin", "editor")):
        statement, values = queries.document(actor, UUID(made["id"]))
        async with site.resources.database.read() as db:
            assert isinstance(db, Reader)
            straight, all_straight = await statement.first(db, values), await statement.all(db, values)
        async with site.resources.database.transaction() as session:
            through, all_through = await statement.first(session, values), await statement.all(session, values)
        assert straight is not None
        assert through is not None
        assert tuple(straight) == tuple(through)
        assert [tuple(row) for row in all_straight] == [tuple(row) for row in all_through]
        assert DocumentView(*straight) == DocumentView(*through)
        assert {name: getattr(straight, name) for name in through._fields} == through._asdict()
        assert not hasattr(straight, "nothing_of_this_name")


async def test_neither_finds_what_is_not_there(site: Site, charlie: Person, alice: Person) -> None:
    made = await makers.document(alice)
    statement, values = queries.document(acting(charlie, "sponsor"), UUID(made["id"]))
    async with site.resources.database.read() as db:
        assert await statement.first(db, values) is None
        assert list(await statement.all(db, values)) == []


def test_a_statement_is_built_once_for_each_set_of_roles(alice: Person, charlie: Person) -> None:
    one, _ = queries.document(acting(alice, "sponsor"), alice.id)
    other, _ = queries.document(acting(charlie, "sponsor"), alice.id)
    assert one is other
    assert queries.document(acting(alice, "admin"), alice.id)[0] is not one


def test_rows_have_the_columns_of_what_is_made_from_them() -> None:
    statement = queries.document(Actor(id=None, status="active"), UUID(int=1))[0].statement
    assert tuple(statement.exported_columns.keys()) == DocumentView.__struct_fields__


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ((TRAIL.c.details, TRAIL.c.kind == bindparam("kind", type_=Text())), "does not give"),
        ((literal_column("1", ARRAY(PickleType())), TRAIL.c.kind == bindparam("kind", type_=Text())), "does not give"),
        ((TRAIL.c.id, TRAIL.c.details == bindparam("details", type_=PickleType())), "does not take"),
        ((TRAIL.c.id, TRAIL.c.kind == "session.opened"), "the same for everybody"),
        ((TRAIL.c.id, TRAIL.c.kind.in_(bindparam("kinds", type_=Text(), expanding=True))), "fixed number"),
        ((literal(1, Integer()), TRAIL.c.kind == bindparam("kind", type_=Text())), "the same for everybody"),
    ],
    ids=["a type out", "many of such", "a type in", "a value within", "a list", "a value in a column"],
)
async def test_what_the_driver_cannot_do_alone_is_refused(
    site: Site, what: tuple[ColumnElement[object], ColumnElement[bool]], said: str
) -> None:
    statement = Prepared(select(what[0]).where(what[1]))
    async with site.resources.database.read() as db:
        with pytest.raises(TypeError, match=said):
            await statement.first(db, {})
