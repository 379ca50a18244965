"""The life of an account, driven at random against a model of it, and every step that the table does not hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import SYSTEM, VISITOR
from app.accounts import service as accounts
from app.accounts.life import DECISIONS, ENTRANCES, STATUSES, STEPS, decisions_from
from app.accounts.schemas import SignUp
from app.accounts.service import Decision
from app.errors import Conflict, Invalid
from app.ids import now
from tests import makers
from tests.site import Site

VERBS = [*DECISIONS, "suspend for a while", "apply", "time passes"]
WHILE = timedelta(hours=1)


def test_the_table_is_the_specification() -> None:
    assert {(step.start, step.target) for step in STEPS.values()} == {
        ("pending", "active"),
        ("pending", "declined"),
        ("active", "suspended"),
        ("suspended", "active"),
        ("declined", "pending"),
    }
    assert set(ENTRANCES) == {"pending", "active"}
    assert [verb for verb, step in STEPS.items() if step.ends_rights] == ["suspend"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_can_be_left(status: str) -> None:
    assert any(step.start == status for step in STEPS.values())
    assert all(DECISIONS[verb].start == status for verb in decisions_from(status))


class Model:
    """What an account must be after each move, by rules of its own."""

    def __init__(self, status: str) -> None:
        self.status, self.until, self.epoch, self.changes = status, False, 0, 1

    def move(self, verb: str) -> bool:
        """Whether the move is legal now; if so it is made."""
        wanted = {
            "approve": ("pending", "active"),
            "decline": ("pending", "declined"),
            "suspend": ("active", "suspended"),
            "suspend for a while": ("active", "suspended"),
            "reinstate": ("suspended", "active"),
            "apply": ("declined", "pending"),
            "time passes": ("suspended", "active"),
        }[verb]
        if self.status != wanted[0] or (verb == "time passes" and not self.until):
            return False
        self.status, self.until = wanted[1], verb == "suspend for a while"
        self.epoch += wanted[1] == "suspended" or verb == "apply"
        self.changes += 1
        return True


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.sampled_from(["open", "approval"]), verbs=st.lists(st.sampled_from(VERBS), max_size=12))
async def test_every_walk_stays_within_the_table(site: Site, start: str, verbs: list[str]) -> None:
    email = makers.address()
    sign_up = SignUp(email, "Walker", makers.passphrase(), "sponsor")
    async with site.resources.database.transaction() as db:
        person_id = (await accounts.register(db, VISITOR, sign_up, "-", policy=start)).id
    model = Model("active" if start == "open" else "pending")
    for verb in verbs:
        legal = model.move(verb)
        assert await _tried(site, person_id, sign_up, verb) == legal, f"{verb} from {model.status}"
        row = (await site.rows("SELECT * FROM people WHERE id = :id", id=person_id))[0]
        assert (row.status, row.epoch) == (model.status, model.epoch)
        assert (row.status_until is not None) == model.until
    changes = await site.rows("SELECT * FROM account_changes WHERE person_id = :id ORDER BY at, id", id=person_id)
    assert len(changes) == model.changes
    assert changes[0].from_status is None
    for before, after in pairwise(changes):
        assert after.from_status == before.to_status
        assert (after.from_status, after.to_status) in {(step.start, step.target) for step in STEPS.values()}


async def _tried(site: Site, person_id: UUID, sign_up: SignUp, verb: str) -> bool:
    """Whether the move was made."""
    async with site.resources.database.transaction() as db:
        if verb == "apply":
            before = (await site.rows("SELECT status FROM people WHERE id = :id", id=person_id))[0].status
            await accounts.register(db, VISITOR, sign_up, "-", policy="open")
            return bool(before == "declined")
        if verb != "time passes":
            until = now() + WHILE if verb == "suspend for a while" else None
            try:
                await accounts.decide(db, SYSTEM, person_id, Decision(verb.split(maxsplit=1)[0], "a walk", until=until))
            except Conflict:
                return False
            return True
    async with site.resources.database.transaction() as db:
        await accounts.end_suspensions(db)  # of others, whom another test has left behind
    passed = "UPDATE people SET status_until = :moment WHERE id = :id AND status_until IS NOT NULL"
    await site.change(passed, moment=now() - WHILE, id=person_id)
    async with site.resources.database.transaction() as db:
        return bool(await accounts.end_suspensions(db))


@pytest.mark.parametrize(
    ("verb", "until"),
    [
        ("suspend", now() - timedelta(seconds=1)),
        ("suspend", datetime(2100, 1, 1)),  # noqa: DTZ001 - without a zone, on purpose
        ("approve", now() + WHILE),
    ],
)
def test_an_end_must_fit(verb: str, until: Any) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.check_decision(Decision(verb, "x", until=until))
    assert list(refused.value.errors) == ["until"]
