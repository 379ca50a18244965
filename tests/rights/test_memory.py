"""What a process remembers: bounded, and never a fact that ended while it was being fetched."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.access import Actor
from app.ids import now
from app.rights.actors import actor_of, keep_made, made_before
from app.rights.facts import CredentialFacts, PersonFacts, person_facts
from app.rights.memory import Memory
from app.rights.notices import IDS_PER_NOTICE, Notice, decode, encode


def person(status: str = "active", identity: UUID | None = None) -> PersonFacts:
    return person_facts(identity or uuid4(), "a@example.org", "A", ["member"], status, None, 0)


def credential(owner: PersonFacts) -> CredentialFacts:
    return CredentialFacts("session", uuid4(), owner.id, owner.epoch, None)


def remembering(memory: Memory, owner: PersonFacts, key: str = "k") -> CredentialFacts:
    found = credential(owner)
    with memory.filling() as fill:
        assert memory.keep(fill, key, found, owner)
    return found


def test_what_was_kept_is_recalled() -> None:
    memory, owner = Memory(lambda: True), person()
    found = remembering(memory, owner)

    assert memory.recall("k") == (found, owner)
    assert (memory.hits, memory.misses) == (1, 0)


def test_a_person_who_ends_takes_all_credentials_along() -> None:
    memory, owner = Memory(lambda: True), person()
    remembering(memory, owner, "one")
    remembering(memory, owner, "two")

    memory.forget(owner.id)

    assert memory.recall("one") is None
    assert memory.recall("two") is None


def test_a_credential_that_ends_leaves_the_others() -> None:
    memory, owner = Memory(lambda: True), person()
    ended = remembering(memory, owner, "one")
    remembering(memory, owner, "two")

    memory.forget(ended.id)

    assert memory.recall("one") is None
    assert memory.recall("two") is not None


def test_an_actor_made_before_lives_as_long_as_what_it_was_made_of() -> None:
    memory, owner, token = Memory(lambda: True), person(), object()
    kept = remembering(memory, owner)
    first, next_one = (Actor(id=None, address=address, request_id=address) for address in ("192.0.2.1", "192.0.2.2"))
    keep_made(token, kept, owner, actor_of(owner, first, auth_type="bearer", credential=kept))

    again = made_before(token, kept, owner, next_one)
    assert again == actor_of(owner, next_one, auth_type="bearer", credential=kept)
    assert made_before(object(), kept, owner, next_one) is None, "another token may carry fewer scopes"

    memory.forget(owner.id)
    demoted = person(identity=owner.id)
    with memory.filling() as fill:
        assert memory.keep(fill, "k", kept, demoted)
    assert made_before(token, kept, demoted, next_one) is None, "the same credential, another person's rights"

    memory.forget(kept.id)
    anew = remembering(memory, demoted)
    assert made_before(token, anew, demoted, next_one) is None


def test_an_actor_the_clock_may_change_is_made_each_time() -> None:
    owner = person_facts(uuid4(), "a@example.org", "A", ["member"], "suspended", now() + timedelta(days=1), 0)
    kept, token, caller = credential(owner), object(), Actor(id=None)
    keep_made(token, kept, owner, actor_of(owner, caller, auth_type="bearer", credential=kept))
    assert made_before(token, kept, owner, caller) is None


def test_a_fill_that_was_overtaken_is_never_kept() -> None:
    memory, owner = Memory(lambda: True), person()
    with memory.filling() as fill:
        memory.forget(owner.id)
        assert not memory.keep(fill, "k", credential(owner), owner)

    assert memory.recall("k") is None


def test_a_fill_during_which_everything_was_forgotten_is_never_kept() -> None:
    memory, owner = Memory(lambda: True), person()
    with memory.filling() as fill:
        memory.clear()
        assert not fill.good_for(owner.id)
        assert not memory.keep(fill, "k", credential(owner), owner)


def test_nothing_is_used_or_kept_while_the_line_is_down() -> None:
    up = True
    memory, owner = Memory(lambda: up), person()
    remembering(memory, owner)

    up = False

    assert memory.recall("k") is None
    with memory.filling() as fill:
        assert not memory.keep(fill, "other", credential(owner), owner)


def test_people_who_wait_or_are_barred_are_not_kept() -> None:
    memory = Memory(lambda: True)
    for status in ("pending", "declined", "suspended"):
        owner = person(status)
        with memory.filling() as fill:
            assert not memory.keep(fill, status, credential(owner), owner)


def test_the_least_recently_used_make_room() -> None:
    memory, owner = Memory(lambda: True, capacity=2), person()
    for key in ("a", "b"):
        remembering(memory, owner, key)
    memory.recall("a")
    remembering(memory, owner, "c")

    assert len(memory) == 2
    assert memory.recall("b") is None
    assert memory.recall("a") is not None


@given(st.lists(st.sampled_from(["begin", "end", "forget", "clear", "recall"]), max_size=40))
def test_no_order_of_events_brings_an_ended_right_back(steps: list[str]) -> None:
    """A right that ended at step n is only seen again through a fill that began after n."""
    memory, identity = Memory(lambda: True), uuid4()
    epoch = 0
    fills: list[tuple[object, PersonFacts]] = []
    for step in steps:
        if step == "begin":
            opened = memory.filling()
            fill = opened.__enter__()
            seen = person_facts(identity, "a@example.org", "A", ["member"], "active", None, epoch)
            fills.append(((opened, fill), seen))
        elif step == "end" and fills:
            (opened, fill), seen = fills.pop(0)  # type: ignore[misc]
            memory.keep(fill, "k", credential(seen), seen)
            opened.__exit__(None, None, None)
        elif step == "forget":
            epoch += 1  # committed before it is announced
            memory.forget(identity)
        elif step == "clear":
            memory.clear()
        known = memory.recall("k")
        assert known is None or known[1].epoch == epoch


@given(st.lists(st.uuids(), max_size=IDS_PER_NOTICE), st.text("abcXYZ019_-", max_size=12))
def test_notices_survive_the_journey(ids: list[UUID], nonce: str) -> None:
    notice = Notice(tuple(ids), nonce)
    payload = encode(notice)

    assert decode(payload) == notice
    assert len(payload) < 8000  # what PostgreSQL takes at most


def test_a_notice_that_cannot_be_read_is_none() -> None:
    assert decode("") is None
    assert decode("nonce not-a-uuid") is None
