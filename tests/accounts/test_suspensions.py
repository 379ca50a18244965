"""Suspensions that end by themselves: at once for the person, soon in the books, once whoever writes it down."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app.accounts.suspensions import Suspensions
from app.ids import now
from tests import makers
from tests.cast import Person
from tests.site import Site


async def over(site: Site, count: int = 1) -> list[Person]:
    """People whose suspension was until a moment ago."""
    people = [await makers.person(site, "sponsor", status="suspended") for _ in range(count)]
    await site.change(
        "UPDATE people SET status_until = :moment WHERE id = ANY(:ids)",
        moment=now() - timedelta(seconds=1),
        ids=[person.id for person in people],
    )
    return people


async def test_one_worker_of_many_writes_it_down(site: Site) -> None:
    people = await over(site, 5)
    sweepers = [Suspensions(site.resources.database) for _ in range(4)]
    ended = await asyncio.gather(*(sweeper.look() for sweeper in sweepers))
    assert sum(ended) >= 5
    for person in people:
        row = (await site.rows("SELECT * FROM people WHERE id = :id", id=person.id))[0]
        assert (row.status, row.status_until, row.status_message) == ("active", None, "")
        last = (await site.rows("SELECT * FROM account_changes WHERE person_id = :id ORDER BY at, id", id=person.id))[
            -1
        ]
        assert (last.from_status, last.to_status, last.reason) == ("suspended", "active", "the suspension ended")
        assert last.actor_name == "Scriptorium"
        assert len(await site.events(person.id, "account.suspension_ended")) == 1


async def test_the_person_need_not_wait_for_it(site: Site) -> None:
    (person,) = await over(site)
    person.status = "active"
    await person.sign_in()
    assert (await person.program.get("/api/v1/me")).json()["status"] == "active"


async def test_a_decision_finds_it_ended(site: Site, ada: Person) -> None:
    person, again = await over(site, 2)
    refused = await ada.program.post(f"/api/v1/admin/people/{person.id}/reinstate", {"reason": "x"})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "This account is active, so it cannot be reinstated.",
    )
    suspended = await ada.program.post(f"/api/v1/admin/people/{again.id}/suspend", {"reason": "x"})
    assert suspended.status_code == 200
    steps = [(change["from_status"], change["to_status"]) for change in suspended.json()["history"][:2]]
    assert steps == [("active", "suspended"), ("suspended", "active")]


async def test_those_without_an_end_stay(site: Site) -> None:
    person = await makers.person(site, "sponsor", status="suspended")
    await Suspensions(site.resources.database).look()
    assert (await site.rows("SELECT status FROM people WHERE id = :id", id=person.id))[0].status == "suspended"
