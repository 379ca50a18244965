"""Many administrators deciding about one person at the same moment: one legal end, and every loser is told."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access import Actor
from app.accounts import service as accounts
from app.accounts.life import STEPS
from app.accounts.service import Decision
from app.errors import Forbidden
from tests import makers
from tests.cast import Person
from tests.site import Site

MOVES = ("suspend", "reinstate", "approve", "decline")
LEGAL = {(step.start, step.target) for step in STEPS.values()}


async def chain(site: Site, person_id: UUID) -> list[Any]:
    """What was decided about a person, oldest first; each decision must begin where the one before ended."""
    changes = await site.rows("SELECT * FROM account_changes WHERE person_id = :id ORDER BY at, id", id=person_id)
    person = (await site.rows("SELECT * FROM people WHERE id = :id", id=person_id))[0]
    for before, after in pairwise(changes):
        assert (after.from_status, after.from_roles) == (before.to_status, before.to_roles)
        assert after.from_status == after.to_status or (after.from_status, after.to_status) in LEGAL
    assert (changes[-1].to_status, changes[-1].to_roles) == (person.status, person.roles)
    return changes


async def at_once(*calls: Any) -> list[httpx.Response]:
    """Everybody waits for the same moment."""
    gate = asyncio.Event()

    async def one(call: Any) -> httpx.Response:
        await gate.wait()
        answer: httpx.Response = await call()
        return answer

    tasks = [asyncio.create_task(one(call)) for call in calls]
    await asyncio.sleep(0.05)
    gate.set()
    return await asyncio.gather(*tasks)


async def test_eighty_decisions_about_one_person(site: Site) -> None:
    admins = [await makers.signed_in(site, "admin", name=f"Admin {number}") for number in range(4)]
    person = await makers.person(site, "sponsor")

    def call(number: int) -> Any:
        admin, url = admins[number % 4], f"/api/v1/admin/people/{person.id}"
        if number % 5 == 4:
            roles = {"roles": ["member"] if number % 2 else ["editor", "sponsor"], "reason": f"move {number}"}
            return lambda: admin.program.put(f"{url}/roles", roles)
        return lambda: admin.program.post(f"{url}/{MOVES[number % 4]}", {"reason": f"move {number}"})

    answers = await at_once(*(call(number) for number in range(80)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    changes = await chain(site, person.id)
    told = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(told) == {"status_changed"}
    decided = [change for change in changes if change.reason.startswith("move")]
    same_roles = 80 - len(told) - len(decided)
    assert 0 <= same_roles <= 15, "only roles that were so already are answered without a change"
    events = await site.events(person.id, "account.")
    assert len([event for event in events if event.actor_id in {admin.id for admin in admins}]) == len(decided)


async def test_administrators_who_suspend_each_other(empty_house: Site) -> None:
    one, other = [await makers.signed_in(empty_house, "admin") for _ in range(2)]

    def call(number: int) -> Any:
        actor, target = (one, other) if number % 2 else (other, one)
        url = f"/api/v1/admin/people/{target.id}"
        if number % 4 < 2:
            return lambda: actor.program.post(f"{url}/suspend", {"reason": "Me or you."})
        return lambda: actor.program.put(f"{url}/roles", {"roles": ["member"], "reason": "Me or you."})

    answers = await at_once(*(call(number) for number in range(80)))
    assert {answer.status_code for answer in answers} <= {200, 401, 403, 409}
    winners = {number % 2 for number, answer in enumerate(answers) if answer.status_code == 200}
    assert len(winners) == 1, "who is out decides nothing"
    left = await empty_house.rows("SELECT id FROM people WHERE status = 'active' AND 'admin' = ANY(roles)")
    assert len(left) == 1
    for person in (one, other):
        await chain(empty_house, person.id)


async def test_a_decision_made_after_the_right_to_it_ended(site: Site) -> None:
    """The guard let the request in; when it comes to deciding, the administrator is one no longer."""
    admin, person = await makers.person(site, "admin"), await makers.person(site, "sponsor")
    actor = Actor(id=admin.id, display_name="Ada", roles=frozenset({"admin"}), status="active")
    await site.change("UPDATE people SET status = 'suspended' WHERE id = :id", id=admin.id)
    for verb in ("suspend", "roles"):
        with pytest.raises(Forbidden) as refused:
            await _act(site, actor, person.id, verb)
        assert refused.value.code == "not_admin_now"
    await chain(site, person.id)


async def _act(site: Site, actor: Actor, person_id: UUID, verb: str) -> None:
    async with site.resources.database.transaction() as db:
        if verb == "roles":
            await accounts.change_roles(db, actor, person_id, ["editor"], "x")
        else:
            await accounts.decide(db, actor, person_id, Decision(verb, "x"))


async def test_roles_changed_meanwhile_are_not_overwritten(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor")
    url = f"/api/v1/admin/people/{person.id}/roles"
    seen = {"seen": ["sponsor"], "reason": "x"}
    assert (await ada.program.put(url, {"roles": ["editor"], **seen})).status_code == 200
    refused = await ada.program.put(url, {"roles": ["member"], **seen})
    assert (refused.status_code, refused.json()["code"]) == (409, "roles_changed")


async def test_roles_are_ticked_on_the_persons_page(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor", name="Rollo")
    page = f"/admin/people/{person.id}"
    form = {"form_token": await ada.browser.token(page), "seen": ["sponsor"], "reason": "Writes, too."}

    async def tick(*roles: str, **changes: Any) -> httpx.Response:
        said = {"Origin": ada.browser.base_url}
        return await ada.browser.http.post(f"{page}/roles", data=form | {"roles": list(roles)} | changes, headers=said)

    answer = await tick("editor", "sponsor")
    assert "Rollo is sponsor and editor now." in (await ada.browser.follow(answer)).text
    stale = await tick("member")
    assert "The roles are sponsor and editor by now." in (await ada.browser.follow(stale)).text
    none = await tick(seen=["sponsor", "editor"])
    assert none.status_code == 422
    assert "at least one role" in none.text
