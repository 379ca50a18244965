"""What each identity may do in Vault, and above all what it may not."""

from __future__ import annotations

import hvac
import pytest
import requests
from hvac.exceptions import Forbidden, InvalidRequest

from local.stack import Stack
from tests.local.conftest import SignIn
from vault.client import connect

RINGS = ("session", "csrf", "refresh", "pepper", "token")


def holder(stack: Stack, name: str) -> hvac.Client:
    return connect(stack.deployer.address, stack.deployer.token(name))


@pytest.mark.parametrize("ring", RINGS)
def test_the_app_reads_its_keys_and_their_clocks(sign_in: SignIn, ring: str) -> None:
    app = sign_in()
    content = app.secrets.kv.v2.read_secret_version(
        f"scriptorium/{ring}", mount_point="kv", raise_on_deleted_version=True
    )["data"]["data"]
    metadata = app.secrets.kv.v2.read_secret_metadata(f"scriptorium/{ring}", mount_point="kv")["data"]
    assert set(content) == ({"private_key"} if ring == "token" else {"key"})
    assert metadata["max_versions"] == 100
    assert metadata["custom_metadata"]["activate_after"] == "30"
    assert int(metadata["custom_metadata"]["grace"]) >= 3600


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "kv/data/scriptorium/session"),
        ("delete", "kv/data/scriptorium/session"),
        ("post", "kv/metadata/scriptorium/session"),
        ("get", "kv/metadata/scriptorium?list=true"),
        ("get", "kv/data/other"),
        ("get", "database/creds/scriptorium-migrate"),
        ("get", "database/config/scriptorium"),
        ("post", "transit/keys/scriptorium-audit/rotate"),
        ("get", "transit/export/encryption-key/scriptorium-personal"),
        ("get", "transit/export/signing-key/scriptorium-token"),
        ("post", "transit/keys/scriptorium-token/rotate"),
        ("post", "transit/keys/scriptorium-token/config"),
        ("post", "database/rotate-role/scriptorium-app-static"),
        ("post", "auth/approle/role/scriptorium-app/secret-id"),
        ("post", "auth/token/create"),
        ("get", "sys/policies/acl/scriptorium-app"),
        ("get", "sys/mounts"),
    ],
)
def test_the_app_may_not(sign_in: SignIn, method: str, path: str) -> None:
    with pytest.raises(Forbidden):
        sign_in().adapter.request(method, f"/v1/{path}", json={} if method == "post" else None)


def test_the_app_signs_and_encrypts_without_holding_the_keys(sign_in: SignIn) -> None:
    app = sign_in()
    signed = app.adapter.post("/v1/transit/sign/scriptorium-audit", json={"input": "aGVhZA=="})
    assert signed["data"]["signature"].startswith("vault:v1:")
    assert app.adapter.get("/v1/transit/keys/scriptorium-audit")["data"]["keys"]["1"]["public_key"]
    sealed = app.adapter.post("/v1/transit/encrypt/scriptorium-personal", json={"plaintext": "aGVhZA=="})["data"]
    opened = app.adapter.post("/v1/transit/decrypt/scriptorium-personal", json=sealed)["data"]
    assert opened["plaintext"] == "aGVhZA=="


def test_the_app_tends_its_own_leases_and_no_others(sign_in: SignIn) -> None:
    app, migrate = sign_in(), sign_in("scriptorium-migrate")
    own = app.adapter.get("/v1/database/creds/scriptorium-app")
    foreign = migrate.adapter.get("/v1/database/creds/scriptorium-migrate")
    assert (own["lease_duration"], foreign["lease_duration"]) == (3600, 600)
    app.sys.renew_lease(own["lease_id"])
    with pytest.raises(Forbidden):
        app.sys.revoke_lease(foreign["lease_id"])
    app.sys.revoke_lease(own["lease_id"])
    migrate.sys.revoke_lease(foreign["lease_id"])


def test_a_wrapped_secret_id_opens_once_and_signs_in_once(stack: Stack) -> None:
    wrapped = connect(stack.deployer.address, stack.deployer.wrap_secret_id("scriptorium-app"))
    assert stack.deployer.is_unused(wrapped.token)
    secret_id = wrapped.sys.unwrap()["data"]["secret_id"]
    assert not stack.deployer.is_unused(wrapped.token)
    with pytest.raises((Forbidden, InvalidRequest)):
        wrapped.sys.unwrap()
    client = connect(stack.deployer.address)
    client.auth.approle.login(stack.deployer.role_id("scriptorium-app"), secret_id)
    with pytest.raises(InvalidRequest):
        client.auth.approle.login(stack.deployer.role_id("scriptorium-app"), secret_id)


def test_the_app_token_outlives_its_database_lease(sign_in: SignIn) -> None:
    token = sign_in().auth.token.lookup_self()["data"]
    assert token["period"] == 7200
    assert token["policies"] == ["scriptorium-app"]


def test_the_deployer_gets_no_secret_id_in_the_clear(stack: Stack) -> None:
    deployer = holder(stack, "deployer")
    with pytest.raises((Forbidden, InvalidRequest)):
        deployer.auth.approle.generate_secret_id("scriptorium-app")
    with pytest.raises(Forbidden):
        deployer.secrets.kv.v2.read_secret_version(
            "scriptorium/session", mount_point="kv", raise_on_deleted_version=True
        )


def test_the_rotator_writes_what_it_cannot_read(stack: Stack) -> None:
    rotator = holder(stack, "rotator")
    path = {"path": "scriptorium/csrf", "mount_point": "kv"}
    before = rotator.secrets.kv.v2.read_secret_metadata(**path)["data"]["current_version"]
    rotator.secrets.kv.v2.create_or_update_secret(secret={"key": "A" * 43}, cas=before, **path)
    assert rotator.secrets.kv.v2.read_secret_metadata(**path)["data"]["current_version"] == before + 1
    with pytest.raises(Forbidden):
        rotator.secrets.kv.v2.read_secret_version(**path, raise_on_deleted_version=True)
    with pytest.raises(Forbidden):
        rotator.adapter.get("/v1/database/creds/scriptorium-app")
    with pytest.raises(Forbidden):
        rotator.adapter.post("/v1/transit/keys/scriptorium-token/config", json={"exportable": True})


def test_no_root_token_is_left(stack: Stack) -> None:
    names = {path.name for path in stack.folders.identities.iterdir()}
    assert not {name for name in names if "root" in name}
    # Nobody may even begin to make one: the owner's door is shut while the stack serves.
    answer = requests.put(f"{stack.deployer.address}/v1/sys/generate-root/attempt", json={}, timeout=5)
    assert answer.status_code >= 400
