"""One holder, several attached: everybody sees the same, nobody loses anything when the holder dies."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.database import Database
from app.vault import inheritance, protocol
from app.vault.broker import Broker
from app.vault.errors import Invalid
from app.vault.estate import Estate, Legacy
from app.vault.subscriber import Subscriber
from app.vault.wire import from_wire, to_wire
from tests.vault.conftest import House, soon
from vault.keys import new_key


@asynccontextmanager
async def running(*sources: Broker | Subscriber | Database) -> AsyncIterator[None]:
    """Started in order, stopped in the opposite order."""
    try:
        for source in sources:
            if not isinstance(source, Database):
                await source.start()
        yield
    finally:
        for source in reversed(sources):
            await source.stop()


async def die(broker: Broker) -> None:
    """End a broker the way SIGKILL does: nothing is revoked, nothing is said."""
    await broker._tending.stop()
    await broker.server.stop()
    broker._client.close()


async def read(database: Database) -> str:
    async with database.read() as connection:
        return str((await connection.execute(text("SELECT session_user"))).scalar())


async def test_two_subscribers_see_what_the_broker_sees(house: House) -> None:
    settings = house.settings("two")
    broker = Broker(settings)
    first, second = Subscriber(settings.secrets_socket), Subscriber(settings.secrets_socket)
    async with running(broker, first, second):
        assert first.snapshot == second.snapshot == broker.snapshot
        await soon(lambda: house.logins() == 1)
        house.rotate("session", {"key": new_key()}, activate_after="1h")
        version = broker.snapshot.rings["session"].keys[0].version
        await first.refresh("rings")
        assert second.snapshot.rings["session"].find(version + 1)
        assert second.snapshot.rings["session"].signing.version <= version
        house.pace("session", activate_after="1")
        await broker._tending.poll_keys()
        await soon(lambda: second.snapshot.rings["session"].signing.version == version + 1)
        await soon(lambda: first.snapshot.rings == broker.snapshot.rings)
        sealed = await first.encrypt("personal", b"seed", b"totp:1")
        assert await second.decrypt("personal", sealed, b"totp:1") == b"seed"
        with pytest.raises(Invalid):
            await second.decrypt("personal", sealed, b"totp:2")
        assert (await second.sign("audit", b"x")).startswith("vault:v")
        status = await first.status()
        assert [worker["pid"] for worker in status["workers"]] == [os.getpid()] * 2
        shown = json.dumps(status)
        assert broker.snapshot.login.password not in shown
        assert broker.snapshot.login.user not in shown


async def test_a_destroyed_version_is_dead_everywhere_at_once(house: House) -> None:
    settings = house.settings("destroyed")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    async with running(broker, worker):
        house.rotate("csrf", {"key": new_key()}, activate_after="0")
        await worker.refresh("rings")
        version = worker.snapshot.rings["csrf"].signing.version
        with house.owner() as owner:
            owner.secrets.kv.v2.destroy_secret_versions("scriptorium/csrf", [version], mount_point="kv")
        await asyncio.sleep(1.0)  # refreshing is limited to once a second
        await worker.refresh("rings")
        assert worker.snapshot.rings["csrf"].find(version) is None
        assert worker.snapshot.rings["csrf"].signing.version < version


async def test_an_old_login_goes_only_when_no_worker_holds_it(house: House) -> None:
    settings = house.settings("drain")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    async with running(broker, worker):
        database = Database(settings, worker)
        async with running(database), database.read() as busy:
            before = str((await busy.execute(text("SELECT session_user"))).scalar())
            await broker._tending.replace_login()
            await soon(lambda: worker.snapshot.login == broker.snapshot.login)
            assert await read(database) != before
            await asyncio.sleep(0.5)
            assert (await busy.execute(text("SELECT session_user"))).scalar() == before
            assert house.logins() == 2
            await busy.close()
            await soon(lambda: house.logins() == 1)
            assert len(database.connections) == 1


async def test_a_stranger_is_not_let_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = house.settings("stranger-uid")
    broker = Broker(settings)
    async with running(broker):
        socket = settings.secrets_socket
        assert socket.stat().st_mode & 0o777 == 0o600
        assert socket.parent.stat().st_mode & 0o077 == 0
        monkeypatch.setattr(protocol, "peer", lambda _: (1, os.getuid() + 1))
        reader, writer = await asyncio.open_unix_connection(str(socket))
        assert await reader.read() == b""
        writer.close()
        monkeypatch.undo()
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=protocol.LINE_LIMIT)
        assert protocol.parse(await reader.readline())["kind"] == "snapshot"
        writer.write(b'{"kind": "ask", "id": 1, "what": "everything"}\n' + protocol.line({"kind": "ask", "id": 2}))
        for _ in range(2):
            assert protocol.parse(await reader.readline())["error"] == "invalid"
        writer.write(b"not json\n")
        assert await reader.read() == b""
        writer.close()
        await broker.refresh("rings")


async def test_a_killed_broker_is_succeeded_without_a_new_token_or_login(house: House) -> None:
    settings = house.settings("killed")
    left = Estate(inheritance.make())
    broker, worker = Broker(settings, estate=left), Subscriber(settings.secrets_socket)
    changes: list[int] = []
    worker.on_change(lambda snapshot: changes.append(snapshot.login.generation))
    await broker.start()
    async with running(worker):
        database = Database(settings, worker)
        async with running(database):
            login = await read(database)
            await die(broker)
            assert await read(database) == login
            assert worker.snapshot.login == broker.snapshot.login
            successor = Broker(settings, estate=left)
            async with running(successor):
                await soon(lambda: worker.snapshot.generation == successor.snapshot.generation)
                assert await read(database) == login
                await soon(lambda: house.logins() == 1)
                assert set(changes) == {broker.snapshot.login.generation}
                await worker.refresh("rings")
    await soon(lambda: house.logins() == 0)  # Vault ends a token's leases a moment after the token
    assert left.read().token is None


async def test_a_successor_finishes_what_was_left_to_revoke(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.vault.retiring.ATTACHING", 60.0)
    settings = house.settings("left")
    left = Estate(inheritance.make())
    broker = Broker(settings, estate=left)
    await broker.start()
    broker.retiring.attach(never := lambda _: False)
    await broker._tending.replace_login()
    assert len(left.read().pending) == 1
    await die(broker)
    broker.retiring.detach(never)
    broker.retiring._tasks.popitem()[0].cancel()
    assert house.logins() == 2
    successor = Broker(settings, estate=left)
    async with running(successor):
        assert house.logins() == 2  # who used it must have the time to attach
        successor.retiring._not_before = time.monotonic() + 0.2  # and has had most of it
        await soon(lambda: house.logins() == 1)


async def test_a_torn_estate_reads_as_empty() -> None:
    descriptor = inheritance.make()
    left = Estate(descriptor)
    left.write(Legacy(secrets.token_hex(), b"used"))
    assert left.read().token
    os.pwrite(descriptor, b"x", 40)
    assert left.read() == Legacy()


async def test_without_a_broker_a_worker_says_so_and_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.vault.subscriber.TOLERATED", 0.2)
    settings = house.settings("alone")
    broker, worker = Broker(settings), Subscriber(settings.secrets_socket)
    await broker.start()
    async with running(worker):
        rings = worker.snapshot.rings
        await broker.stop()
        await soon(lambda: worker.snapshot.state == "degraded")
        assert worker.snapshot.rings == rings


async def test_fresh_identity_is_taken_before_the_old_one_is_given_up(house: House) -> None:
    settings = house.settings("anew")
    broker = Broker(settings)
    async with running(broker):
        token, login = broker._client.token, broker.snapshot.login
        house.stack.wrap_secret_id(path=settings.vault_secret_id_file)
        broker._auth.clock.due = 0.0
        broker._tending._look_at_token.set()
        await soon(lambda: broker._client.token == token)  # alive: a doubt alone changes nothing
        broker._auth.clock.due = 0.0
        await broker._tending._prolong_identity()
        assert broker._client.token != token
        assert broker.snapshot.login.generation > login.generation
        await soon(lambda: house.logins() == 1)
        assert broker.snapshot.state == "healthy"


async def _revoke(house: House, token: str) -> None:
    with house.owner() as owner:
        await asyncio.to_thread(owner.auth.token.revoke, token)


async def test_a_dead_token_is_fatal_until_a_fresh_secret_id_comes(house: House) -> None:
    settings = house.settings("dead")
    broker = Broker(settings)
    async with running(broker):
        await _revoke(house, str(broker._client.token))
        with pytest.raises(Exception, match="does not answer"):
            await broker.refresh("database")
        broker._tending._look_at_token.set()
        await soon(lambda: broker.snapshot.state == "must_stop")
        house.stack.wrap_secret_id(path=settings.vault_secret_id_file)
        await soon(lambda: broker.snapshot.state == "healthy")
        assert broker.snapshot.login.seconds_left() > 0
        await soon(lambda: house.logins() == 1)  # those of others end a moment after them


async def test_a_snapshot_survives_the_wire(house: House) -> None:
    broker = Broker(house.settings("wire"))
    async with running(broker):
        assert from_wire(json.loads(json.dumps(to_wire(broker.snapshot)))) == broker.snapshot
    with pytest.raises(KeyError):
        from_wire({"generation": 1})
