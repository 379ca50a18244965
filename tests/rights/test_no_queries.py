"""A caller this process knows costs no query, and one whose rights ended costs the right answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event

from app.prepared import Prepared
from app.rights.memory import Memory
from tests.cast import Person
from tests.site import Site

ASKING: ContextVar[bool] = ContextVar("asking", default=False)


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    """Every statement about people and credentials that requests made in here send to PostgreSQL.

    What the house does by itself every few seconds is none of theirs: it was begun elsewhere, and so has another context.
    """
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if ASKING.get() and any(table in statement for table in ("people", "sessions", "token_families", "api_keys")):
            sent.append(statement)

    async def straight(self: Prepared, db: Any, values: Any) -> Any:
        note(db, None, str(self.statement))
        return await first(self, db, values)

    engines = [site.resources.database._reads.sync_engine, site.resources.database._writes.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    first, Prepared.first = Prepared.first, straight  # type: ignore[method-assign]  # it passes SQLAlchemy by
    asking = ASKING.set(True)
    try:
        yield sent
    finally:
        ASKING.reset(asking)
        Prepared.first = first  # type: ignore[method-assign]  # as it was
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def test_a_known_token_costs_no_query(site: Site, max: Person) -> None:
    assert (await max.program.get("/api/v1/me")).status_code == 200

    with counted(site) as sent:
        for _ in range(20):
            assert (await max.program.get("/api/v1/me")).status_code == 200

    assert sent == []


async def test_a_known_cookie_costs_no_query(site: Site, max: Person) -> None:
    assert (await max.browser.get("/console")).status_code == 200

    with counted(site) as sent:
        for _ in range(20):
            answer = await max.browser.get("/console")
            assert answer.status_code == 200
            assert "Sign out" in answer.text

    assert sent == []


async def test_a_forgotten_token_and_cookie_are_asked_for_once(site: Site, max: Person) -> None:
    """So that the tests above cannot hold because nothing is counted."""
    memory: Memory = site.app.extensions[Memory.__name__]
    for ask, place in ((max.program.get, "/api/v1/me"), (max.browser.get, "/console")):
        memory.clear()
        with counted(site) as sent:
            for _ in range(3):
                assert (await ask(place)).status_code == 200
        assert len(sent) == 1, place


async def test_an_unknown_token_costs_no_query_at_all(site: Site) -> None:
    program = site.program()
    program.http.headers["Authorization"] = "Bearer not.a.token"

    with counted(site) as sent:
        assert (await program.get("/api/v1/me")).status_code == 401

    assert sent == []
