"""A caller this process knows costs no query, and one whose rights ended costs the right answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.prepared import Prepared
from tests.cast import Person
from tests.site import Site


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    """Every statement about people and credentials that this process sends to PostgreSQL."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        # The house has work of its own in the background; what counts is who asks about callers.
        if any(table in statement for table in ("people", "sessions", "token_families", "api_keys")):
            sent.append(statement)

    async def straight(self: Prepared, db: Any, values: Any) -> Any:
        note(db, None, str(self.statement))
        return await first(self, db, values)

    engines = [site.resources.database._reads.sync_engine, site.resources.database._writes.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    first, Prepared.first = Prepared.first, straight  # type: ignore[method-assign]  # it passes SQLAlchemy by
    try:
        yield sent
    finally:
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


async def test_an_unknown_token_costs_no_query_at_all(site: Site) -> None:
    program = site.program()
    program.http.headers["Authorization"] = "Bearer not.a.token"

    with counted(site) as sent:
        assert (await program.get("/api/v1/me")).status_code == 401

    assert sent == []
