"""Fault F42: what cannot be recorded does not happen, by either face."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests import makers
from tests.cast import Person
from tests.site import Site, as_owner


@pytest.fixture
async def silenced(site: Site) -> AsyncIterator[Site]:
    """The application, whose login may not add to the trail any more."""
    nobody_else = await makers.signed_in(site)  # sign-ins write to the trail, so they come before
    del nobody_else
    async with as_owner(site.stack) as db:
        await db.execute("REVOKE INSERT ON audit_events FROM scriptorium_rw")
        try:
            yield site
        finally:
            await db.execute("GRANT INSERT ON audit_events TO scriptorium_rw")


async def test_nothing_is_stored_that_cannot_be_recorded(max: Person, alice: Person, silenced: Site) -> None:
    before = await silenced.counts()
    answers = [
        await max.program.post("/api/v1/entries", {"title": "Unheard", "body": "Nothing."}),
        await max.browser.post("/entry", {"title": "Unheard", "body": "Nothing."}),
        await alice.program.post("/api/v1/documents", {"title": "Unheard", "brief": "", "body": ""}),
        await silenced.program().sign_in(max.email, max.password),
        await silenced.browser().sign_in(max.email, max.password),
    ]
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    assert all(answer.headers["retry-after"] for answer in answers)
    assert answers[0].json()["code"] == "not_recorded"
    assert _without_seals(await silenced.counts()) == _without_seals(before)


def _without_seals(counts: dict[str, int]) -> dict[str, int]:
    """Seals are laid all the while, over what was recorded before."""
    return {table: count for table, count in counts.items() if table not in ("audit_seals", "audit_signatures")}
