"""Starting: clean, and every way it must be refused, with its exit code and one clear sentence."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import closing
from pathlib import Path

import pytest

from app.ids import now
from app.settings import Settings
from app.vault.broker import Broker
from app.vault.client import VaultClient
from app.vault.errors import Invalid, VaultStartError
from tests.vault.conftest import House, soon


def delivered(settings: Settings) -> Path:
    """The file the wrapped secret-id is delivered in."""
    assert settings.vault_secret_id_file is not None
    return settings.vault_secret_id_file


async def refused(settings: Settings, said: list[str]) -> VaultStartError:
    """The refusal of a start; fails when it starts after all."""
    broker = Broker(settings, say=said.append)
    with pytest.raises(VaultStartError) as caught:
        await broker.start()
    assert not settings.secrets_socket.exists()
    return caught.value


async def test_a_clean_start_has_everything_and_leaves_nothing(house: House, said: list[str]) -> None:
    await soon(lambda: house.logins() == 0)  # Vault ends a token's leases a moment after the token
    broker = Broker(house.settings("clean"), say=said.append)
    await broker.start()
    try:
        snapshot = broker.snapshot
        assert said == []
        assert snapshot.state == "healthy"
        assert set(snapshot.rings) == {"session", "csrf", "token", "refresh", "pepper"}
        assert all(len(ring.signing.value) >= 32 for ring in snapshot.rings.values())
        assert snapshot.rings["token"].signing.value.startswith(b"-----BEGIN")
        assert snapshot.login.seconds_left() > 60
        assert snapshot.login.valid_until is not None
        assert snapshot.login.valid_until > now()
        assert house.logins() == 1
        mode = broker.settings.secrets_socket.stat().st_mode
        assert mode & 0o777 == 0o600
        shown = f"{snapshot!r} {broker.facts()!r} {broker.server.status()!r}"
        values = [key.value for ring in snapshot.rings.values() for key in ring.keys]
        hidden = [snapshot.login.user, snapshot.login.password, snapshot.valkey_password]
        hidden += [value.decode("latin-1") for value in values] + [repr(value)[2:-1] for value in values]
        assert not [value for value in hidden if value in shown]
    finally:
        await broker.stop()
    await soon(lambda: house.logins() == 0)


async def test_transit_binds_what_it_encrypts_to_its_context(house: House) -> None:
    broker = Broker(house.settings("transit"))
    await broker.start()
    try:
        sealed = await broker.encrypt("personal", b"somebody@example.org", b"people.email:1")
        assert sealed.startswith("vault:v")
        assert await broker.decrypt("personal", sealed, b"people.email:1") == b"somebody@example.org"
        with pytest.raises(Invalid):
            await broker.decrypt("personal", sealed, b"people.email:2")
        assert (await broker.sign("audit", b"checkpoint")).startswith("vault:v")
    finally:
        await broker.stop()


async def test_vault_away(house: House, said: list[str]) -> None:
    error = await refused(house.settings("away", vault_addr="http://127.0.0.1:9", vault_wait="0.5"), said)
    assert error.exit_code == 69
    assert "Vault at http://127.0.0.1:9 is not reachable" in error.message
    assert len(said) == 1  # one line per state, not per try
    assert "waiting up to" in said[0]


async def test_something_else_answers_in_its_place(house: House, said: list[str]) -> None:
    port = house.stack.environment()["SCRIPTORIUM_VALKEY_PORT"]
    settings = house.settings("stranger", vault_addr=f"http://127.0.0.1:{port}", vault_wait="0.5")
    assert (await refused(settings, said)).exit_code == 69


async def test_a_used_wrapped_secret_id(house: House, said: list[str]) -> None:
    settings = house.settings("used")
    first = Broker(settings)
    await first.start()
    await first.stop()
    error = await refused(settings, said)
    assert error.exit_code == 77
    assert "possible interception" in error.message
    assert str(settings.vault_secret_id_file) in error.message
    assert delivered(settings).read_text() not in error.message


async def test_a_foreign_wrapped_secret_id_is_not_opened(house: House, said: list[str]) -> None:
    settings = house.settings("foreign")
    with house.owner() as owner:
        answer = owner.adapter.post("/v1/sys/wrapping/wrap", json={"secret_id": secrets.token_hex()}, wrap_ttl="60s")
    token = answer["wrap_info"]["token"]
    delivered(settings).write_text(token)
    error = await refused(settings, said)
    assert error.exit_code == 77
    assert "sys/wrapping/wrap" in error.message
    assert house.stack.deployer.is_unused(token)


@pytest.mark.parametrize(("content", "words"), [("", "holds no wrapped secret-id"), ("nonsense", "interception")])
async def test_nothing_or_nonsense_delivered(house: House, said: list[str], content: str, words: str) -> None:
    settings = house.settings("nothing")
    delivered(settings).write_text(content)
    error = await refused(settings, said)
    assert error.exit_code == (77 if content else 78)
    assert words in error.message


async def test_an_unknown_role_id(house: House, said: list[str]) -> None:
    error = await refused(house.settings("role", vault_role_id="00000000-0000-0000-0000-000000000000"), said)
    assert error.exit_code == 78
    assert "SCRIPTORIUM_VAULT_ROLE_ID" in error.message


async def test_a_missing_path_is_named(house: House, said: list[str]) -> None:
    with house.owner() as owner:
        kept = owner.secrets.kv.v2.read_secret_version(
            "scriptorium/refresh", mount_point="kv", raise_on_deleted_version=True
        )["data"]["data"]
        owner.secrets.kv.v2.delete_metadata_and_all_versions("scriptorium/refresh", mount_point="kv")
    try:
        error = await refused(house.settings("path"), said)
    finally:
        house.rotate("refresh", kept)
    assert error.exit_code == 78
    assert "kv/scriptorium/refresh does not exist" in error.message
    assert house.logins() == 0


async def test_a_missing_field_is_named_and_the_last_good_key_survives_while_serving(
    house: House, said: list[str]
) -> None:
    good = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    canary = secrets.token_hex(16)
    serving = Broker(house.settings("serving"))
    await serving.start()
    try:
        version = serving.snapshot.rings["pepper"].signing.version
        newest = serving.snapshot.rings["pepper"].keys[0].version
        house.rotate("pepper", {"keys": canary})
        error = await refused(house.settings("field"), said)
        assert error.exit_code == 78
        assert "kv/scriptorium/pepper lacks the field 'key'" in error.message
        assert canary not in error.message
        await serving.refresh("rings")
        assert serving.snapshot.rings["pepper"].signing.version == version
        assert serving.snapshot.rings["pepper"].find(newest + 1) is None
    finally:
        house.rotate("pepper", {"key": good})
        await serving.stop()


async def test_a_sealed_vault_is_said_once_and_waited_for(house: House, said: list[str]) -> None:
    settings = house.settings("sealed", vault_wait="1")
    with house.owner() as owner:
        owner.sys.seal()
        owner.auth.token.revoke_self = lambda: None  # a sealed server cannot be told
    try:
        error = await refused(settings, said)
    finally:
        house.reopen()
    assert error.exit_code == 69
    assert "is sealed" in error.message
    assert said == [f"Vault at {settings.vault_addr} is sealed; waiting up to 1 s"]


async def test_a_path_too_long_for_a_socket_costs_no_secret_id(house: House, said: list[str]) -> None:
    settings = house.settings("long", secrets_socket=str(house.place / ("x" * 120)))
    error = await refused(settings, said)
    assert error.exit_code == 78
    assert "SCRIPTORIUM_SECRETS_SOCKET" in error.message
    token = delivered(settings).read_text()
    assert house.stack.deployer.is_unused(token)


async def test_a_second_instance_does_not_push_the_first_aside(house: House, said: list[str]) -> None:
    first = Broker(house.settings("twice"))
    await first.start()
    try:
        broker = Broker(house.settings("twice"), say=said.append)
        with pytest.raises(VaultStartError, match="already serves"):
            await broker.start()
        assert first.settings.secrets_socket.exists()
    finally:
        await first.stop()


def test_nothing_is_taken_from_the_environment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", secrets.token_hex())
    monkeypatch.setenv("VAULT_NAMESPACE", "elsewhere")
    with closing(VaultClient("http://127.0.0.1:9")) as client:
        assert client.token is None
        assert os.environ["VAULT_TOKEN"] not in repr(client)
