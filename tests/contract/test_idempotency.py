"""A thing is done once however often it is asked for under one `Idempotency-Key`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.web.idempotency import forget_old
from app.web.sweeping import Sweeper
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site

TABLES = {"/api/v1/entries": "entries", "/api/v1/documents": "documents", "/api/v1/people": "people"}


def body_for(path: str) -> dict[str, Any]:
    """Something new to make there."""
    if path.endswith("people"):
        return {
            "email": makers.address(),
            "display_name": "Once",
            "password": makers.passphrase(),
            "role": "member",
        }
    return {"title": "Once", "body": "Once."}


@pytest.fixture(scope="module")
async def sponsor(site: Site) -> Person:
    return await makers.signed_in(site, "sponsor")


@pytest.mark.parametrize("path", TABLES)
async def test_80_at_once_have_one_effect_and_equal_answers(site: Site, sponsor: Person, path: str) -> None:
    body, key = body_for(path), makers.passphrase()
    count = f"SELECT count(*) FROM {TABLES[path]}"
    before = (await site.rows(count))[0][0]
    times = 20 if path.endswith("people") else 80  # a password is hashed each time, and the queue for that is bounded
    answers = await asyncio.gather(*(sponsor.program.post(path, body, Idempotency_Key=key) for _ in range(times)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers.get("location") for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == times - 1
    assert (await site.rows(count))[0][0] == before + 1


async def test_another_request_under_the_key_is_refused(site: Site, sponsor: Person) -> None:
    key = makers.passphrase()
    assert (await sponsor.program.post("/api/v1/entries", body_for("x"), Idempotency_Key=key)).status_code == 201
    other = await sponsor.program.post("/api/v1/entries", {"title": "Other", "body": "x"}, Idempotency_Key=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    elsewhere = await sponsor.program.post("/api/v1/documents", body_for("x"), Idempotency_Key=key)
    assert elsewhere.status_code == 409


async def test_keys_of_different_people_never_meet(site: Site, sponsor: Person, alice: Person) -> None:
    key, body = makers.passphrase(), body_for("x")
    one = await sponsor.program.post("/api/v1/entries", body, Idempotency_Key=key)
    two = await alice.program.post("/api/v1/entries", body, Idempotency_Key=key)
    assert one.json()["id"] != two.json()["id"]


async def test_what_failed_may_be_tried_again(site: Site, sponsor: Person) -> None:
    key = makers.passphrase()
    wrong = {"title": "x", "body": "x", "editor_id": str(sponsor.id)}
    assert (await sponsor.program.post("/api/v1/documents", wrong, Idempotency_Key=key)).status_code == 422
    assert await site.rows("SELECT 1 FROM kept_answers WHERE key = :key", key=key) == []
    right = {"title": "x", "body": "x"}
    assert (await sponsor.program.post("/api/v1/documents", right, Idempotency_Key=key)).status_code == 201


@pytest.mark.parametrize("key", ["", "ä", "a b", "x" * 256, "\t"])
async def test_what_is_no_key(program: Program, sponsor: Person, key: str) -> None:
    said = [(b"Authorization", f"Bearer {sponsor.program.token}".encode()), (b"Idempotency-Key", key.encode())]
    answer = await program.http.post("/api/v1/entries", json=body_for("x"), headers=said)
    assert answer.status_code in (400, 422), key


async def test_nothing_kept_can_be_guessed_against(site: Site, program: Program) -> None:
    body, key = body_for("/api/v1/people"), makers.passphrase()
    assert (await program.post("/api/v1/people", body, Idempotency_Key=key)).status_code == 201
    (kept,) = await site.rows("SELECT * FROM kept_answers WHERE key = :key", key=key)
    assert body["password"].encode() not in bytes(kept.body)
    assert int.from_bytes(bytes(kept.fingerprint)[:4]) >= 1, "an HMAC under a key from Vault, by its version"


async def test_old_answers_are_swept(site: Site, sponsor: Person) -> None:
    key, body = makers.passphrase(), body_for("x")
    first = await sponsor.program.post("/api/v1/entries", body, Idempotency_Key=key)
    await site.change("UPDATE kept_answers SET made_at = now() - interval '2 days' WHERE key = :key", key=key)
    sweeper: Sweeper = site.app.extensions[Sweeper.__name__]
    assert await sweeper.sweep()
    assert await site.rows("SELECT 1 FROM kept_answers WHERE key = :key", key=key) == []
    again = await sponsor.program.post("/api/v1/entries", body, Idempotency_Key=key)
    assert again.json()["id"] != first.json()["id"]


async def test_only_one_worker_sweeps(site: Site) -> None:
    sweeper: Sweeper = site.app.extensions[Sweeper.__name__]
    async with site.resources.database.transaction() as db:
        await forget_old(db, 0.001)
    assert await sweeper.sweep()
