"""Rotations on request: written by the rotator, done when every worker follows, harmless when repeated at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime

import pytest

from app.ids import now
from app.vault.broker import Broker
from app.vault.errors import Invalid
from app.vault.keyring import KvKeyRing, Listing, Version
from app.vault.rotating import KEPT_VERSIONS, Rotator, _would_push_out, read_token
from app.vault.snapshot import RING_FIELDS
from app.vault.subscriber import Subscriber
from tests.vault.conftest import House, soon
from tests.vault.test_broker import running


async def test_every_ring_turns_and_every_worker_follows_before_the_answer(house: House) -> None:
    mail = {"smtp_host": "127.0.0.1", "smtp_tls": "off", "mail_from": "letters@journal.example"}
    settings = house.settings("turning", **mail)
    broker = Broker(settings)
    workers = [Subscriber(settings.secrets_socket) for _ in range(2)]
    tool = Subscriber(settings.secrets_socket, role="tool")
    with house.unhurried(RING_FIELDS):
        async with running(broker, *workers, tool):
            await every_ring_turns(tool, workers)
            assert json.dumps(await tool.status()).count("PRIVATE") == 0


async def every_ring_turns(tool: Subscriber, workers: Sequence[Subscriber]) -> None:
    for name in RING_FIELDS:
        before = tool.snapshot.rings[name]
        turned = await tool.rotate(name)
        version = turned.versions[name]
        assert turned.workers == len(workers)
        for worker in workers:
            ring = worker.snapshot.rings[name]
            assert ring.find(version)
            assert ring.signing.version == before.signing.version != version


async def test_a_login_turned_by_hand_at_once_and_again_never_fails_and_leaves_one(house: House) -> None:
    settings = house.settings("by-hand")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    async with running(broker, worker):
        first = broker.snapshot.login.generation
        turned = await asyncio.gather(*(worker.rotate("database") for _ in range(8)))
        assert {one.login for one in turned} == {worker.snapshot.login.generation}
        again = await worker.rotate("database")
        assert first < worker.snapshot.login.generation == again.login
        await soon(lambda: house.logins() == 1)
        # A fault right after what somebody wished for is not made to wait.
        assert broker._provider.pause() <= 1.0


async def test_an_emergency_leaves_only_the_new_version_and_it_signs_at_once(house: House) -> None:
    settings = house.settings("emergency")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    assert settings.rotator_token_file is not None
    async with running(broker, worker):
        async with Rotator(settings, read_token(settings.rotator_token_file)) as rotator:
            version = await rotator.forward("csrf")
            assert version - 1 in await rotator.withdraw_before("csrf", version)
            assert await rotator.withdraw_before("csrf", version) == []
        await worker.take_up({"csrf": version}, {"csrf": version})
        assert [key.version for key in worker.snapshot.rings["csrf"].keys] == [version]
        assert worker.snapshot.rings["csrf"].signing.version == version
        assert worker.snapshot.state == "healthy"


async def test_what_cannot_be_rotated_is_said(house: House) -> None:
    settings = house.settings("refused", rotator_token_file="")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    async with running(broker, worker):
        with pytest.raises(Invalid, match="SCRIPTORIUM_ROTATOR_TOKEN_FILE"):
            await worker.rotate("session")
        with pytest.raises(Invalid, match="no secret named"):
            await worker.rotate("moon")
        with pytest.raises(Invalid):
            await worker.take_up({"moon": 1}, {})


async def test_the_rotator_reads_nothing(house: House) -> None:
    reading = house.rotator().adapter.get("/v1/kv/data/scriptorium/session", raise_exception=False)
    assert reading.status_code == 403


def _listing(moments: Sequence[datetime], grace: float) -> Listing:
    versions = tuple(Version(number, moment, True) for number, moment in enumerate(moments, 1))
    return Listing(versions, 30.0, grace)


def test_no_version_is_pushed_out_while_it_is_accepted() -> None:
    fresh = [now()] * KEPT_VERSIONS
    assert _would_push_out("session", _listing(fresh, 86400), KEPT_VERSIONS) == 1
    assert _would_push_out("session", _listing(fresh[1:], 86400), KEPT_VERSIONS) is None
    old = [now().replace(year=2020)] * KEPT_VERSIONS
    assert _would_push_out("session", _listing(old, 86400), KEPT_VERSIONS) is None
    assert _would_push_out("pepper", _listing(old, 86400), KEPT_VERSIONS) == 1


def test_a_pepper_never_retires_by_time() -> None:
    moment = now()
    listing = _listing([moment.replace(year=2020), moment.replace(year=2021)], 1.0)
    for name, left in (("session", [2]), ("pepper", [2, 1])):
        ring = KvKeyRing(name, listing, {1: b"1" * 32, 2: b"2" * 32})
        assert [key.version for key in ring.ring(moment).keys] == left
