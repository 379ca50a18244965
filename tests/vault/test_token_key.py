"""Access tokens signed by Vault with a key nobody else holds: pinned versions, rotation, withdrawal, and an outage."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact

from app.errors import Unavailable
from app.tokens.jwt import TokenSigner
from app.tokens.signing import InMemory, InVault
from app.vault.broker import Broker
from app.vault.client import TIMEOUT
from app.vault.rotating import Rotator
from app.vault.subscriber import Subscriber
from tests.vault.conftest import House, soon
from tests.vault.test_broker import running


@pytest.fixture
async def broker(house: House) -> AsyncIterator[Broker]:
    house.pace("token", activate_after="1h", grace="3600")  # longer than any test looks at a version that waits
    broker = Broker(house.settings("token-key", jwt_signer="vault"))
    async with running(broker):
        yield broker


def signer_of(source: Broker | Subscriber, broker: Broker) -> TokenSigner:
    return TokenSigner(broker.settings, lambda: source.snapshot.rings["token"], InVault(source))


async def issued(signer: TokenSigner) -> str:
    return await signer.issue(
        person_id=uuid4(), family_id=uuid4(), epoch=1, scopes=frozenset({"profile:read"}), client_id="here"
    )


def kid(token: str, signer: TokenSigner) -> str:
    """The key id of a token that a stranger has checked by the published keys alone."""
    keys = KeySet.import_key_set({"keys": [dict(key) for key in signer.public_keys()]})
    return str(deserialize_compact(token, keys, algorithms=["ES256"]).headers()["kid"])


async def test_the_key_is_nowhere_but_in_vault_and_its_tokens_are_good(broker: Broker) -> None:
    worker = Subscriber(broker.settings.secrets_socket)
    async with running(worker):
        signer = signer_of(worker, broker)
        token = await issued(signer)
        assert signer.verify(token) is not None
        assert kid(token, signer).startswith("v")
        identity = await signer.issue_id_token({"sub": "somebody"})
        assert kid(identity, signer) == kid(token, signer)
        assert signer.verify(identity) is None
    assert all(b"PUBLIC KEY" in key.value for key in broker.snapshot.rings["token"].keys)
    assert all("private_key" not in one for one in signer.public_keys())


async def test_a_new_version_signs_only_after_its_delay(house: House, broker: Broker) -> None:
    signer = signer_of(broker, broker)
    before = await issued(signer)
    turned = await broker.rotate("token")
    assert kid(await issued(signer), signer) == kid(before, signer) != f"v{turned.versions['token']}"
    house.pace("token", activate_after="1", grace="3600")
    await broker._tending.poll_keys()
    await soon(lambda: broker.snapshot.rings["token"].signing.version == turned.versions["token"])
    after = await issued(signer)
    assert kid(after, signer) == f"v{turned.versions['token']}"
    assert signer.verify(before) is not None
    assert signer.verify(after) is not None


async def test_withdrawn_versions_vouch_for_nothing(house: House, broker: Broker) -> None:
    signer = signer_of(broker, broker)
    before = await issued(signer)
    async with Rotator(broker.settings, house.stack.deployer.token("rotator")) as rotator:
        newest = await rotator.forward("token")
        gone = await rotator.withdraw_before("token", newest)
    assert newest - 1 in gone
    await broker._tending.poll_keys()
    assert [key.version for key in broker.snapshot.rings["token"].keys] == [newest]
    assert signer.verify(before) is None
    assert signer.verify(await issued(signer)) is not None


async def test_the_two_kinds_of_key_do_not_vouch_for_each_other(house: House, broker: Broker) -> None:
    other = Broker(house.settings("token-memory"))
    async with running(other):
        memory = TokenSigner(other.settings, lambda: other.snapshot.rings["token"], InMemory())
        vault = signer_of(broker, broker)
        here, there = await issued(memory), await issued(vault)
        assert memory.verify(here) is not None
        assert memory.verify(there) is None
        assert vault.verify(here) is None


async def test_while_vault_is_away_tokens_are_checked_but_not_made(house: House, broker: Broker) -> None:
    signer = signer_of(broker, broker)
    token = await issued(signer)
    bao = house.stack.servers._children["openbao"].process
    bao.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, bao.pid, os.WSTOPPED | os.WNOWAIT)  # until all its threads stand still
    try:
        with pytest.raises(Unavailable) as first:
            await issued(signer)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await issued(signer)
        assert time.monotonic() - began < TIMEOUT / 2  # one waits, the next is told at once
        assert first.value.retry_after >= 1
        signer.forget()
        assert signer.verify(token) is not None
        assert signer.public_keys()
    finally:
        bao.send_signal(signal.SIGCONT)
    for _ in range(100):
        await asyncio.sleep(0.1)
        try:
            assert signer.verify(await issued(signer)) is not None
        except Unavailable:
            continue
        return
    pytest.fail("no token was made again")
