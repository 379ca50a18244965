"""Identities and permissions at work: per task, as decorator and as context, and what people provide at all."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from app.access import (
    VISITOR,
    ActionNeed,
    Actor,
    Denial,
    Identity,
    ItemNeed,
    Need,
    Permission,
    RoleNeed,
    ScopeNeed,
    TypeNeed,
    UserNeed,
    current_identity,
    set_identity,
)
from app.access.actor import needs_of
from app.access.context import load_identity
from app.access.roles import SCOPES

SPONSOR, EDITOR = RoleNeed("sponsor"), RoleNeed("editor")


def somebody(*needs: Need) -> Identity:
    return Identity(id="x", provides=frozenset(needs))


def test_needs_are_told_apart_by_all_they_say() -> None:
    number = uuid4()
    needs = {
        UserNeed(number), RoleNeed("edit"), TypeNeed("edit"), ActionNeed("edit"), ScopeNeed("edit"),
        ItemNeed("edit", number, "document"), ItemNeed("edit", number, "entry"), ItemNeed("read", number, "document"),
    }  # fmt: skip
    assert len(needs) == 8
    assert ItemNeed("edit", number, "document") == ItemNeed("edit", str(number), "document")
    assert str(ItemNeed("edit", 7, "document")) == "edit 7 of document"


async def test_the_identity_is_each_tasks_own() -> None:
    rule = Permission(SPONSOR)

    async def as_one(*needs: Need) -> bool:
        set_identity(somebody(*needs))
        await asyncio.sleep(0)
        return rule.can()

    seen = await asyncio.gather(*(asyncio.create_task(as_one(*needs)) for needs in ([SPONSOR], [EDITOR], [])))
    assert seen == [True, False, False]


async def test_a_rule_is_required_as_decorator_and_as_context() -> None:
    rule = Permission(SPONSOR)

    @rule.require()
    async def work() -> str:
        return "done"

    async def play() -> None:
        set_identity(somebody(SPONSOR))
        assert await work() == "done"
        with rule.require() as context:
            assert context.identity is current_identity()
            assert context.can()
        async with rule.require():
            pass
        set_identity(somebody(EDITOR))
        with pytest.raises(Denial) as denied:
            await work()
        assert denied.value.status == 403
        assert "sponsor" not in denied.value.detail
        assert denied.value.staff == "needs role sponsor; has role editor"
        with pytest.raises(Denial), rule.require():
            raise AssertionError("never reached")
        with pytest.raises(Denial):
            async with rule.require():
                raise AssertionError("never reached")

    await asyncio.create_task(play())


async def test_loaders_are_asked_in_turn() -> None:
    async def nobody() -> None:
        return None

    async def found() -> Identity:
        return somebody(EDITOR)

    async def play() -> None:
        assert (await load_identity(nobody, found)).provides == {EDITOR}
        assert current_identity().provides == {EDITOR}
        assert (await load_identity(nobody)).id is None

    await asyncio.create_task(play())


@pytest.mark.parametrize("status", ["pending", "declined", "suspended", "visitor"])
def test_only_active_people_provide_their_roles(status: str) -> None:
    person_id = uuid4()
    assert needs_of(person_id, frozenset({"admin"}), status, None) == {UserNeed(person_id)}


def test_scopes_narrow_and_never_widen() -> None:
    person_id = uuid4()
    everything = needs_of(person_id, frozenset({"editor"}), "active", None)
    assert {ScopeNeed(name) for name in SCOPES} <= everything
    narrow = needs_of(person_id, frozenset({"editor"}), "active", frozenset({"entries:read"}))
    assert narrow == {UserNeed(person_id), EDITOR, ScopeNeed("entries:read")}


def test_a_visitor_is_nobody() -> None:
    assert not VISITOR.signed_in
    assert not VISITOR.active
    with pytest.raises(LookupError):
        VISITOR.person_id()
    assert Actor(id=uuid4(), roles=frozenset({"admin"})).is_admin
