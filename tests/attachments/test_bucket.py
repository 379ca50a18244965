"""Attached files in an S3-compatible bucket: the same as in a folder, opened by keys from Vault that may turn."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.attachments import service
from app.attachments.store import Store, blob_name
from app.settings import Settings
from app.vault.errors import VaultStartError
from local.stack import Stack
from tests import makers
from tests.attachments.bucket import Bucket, bucket
from tests.site import Site, running
from vault.client import connect

MIB = 1024 * 1024


def hand_over(stack: Stack, keys: Mapping[str, str]) -> None:
    """Write a bucket's keys into Vault, as an operator does with the rotator's token."""
    token = (stack.folders.identities / "rotator.token").read_text().strip()
    client = connect(stack.deployer.address, token)
    client.secrets.kv.v2.create_or_update_secret("scriptorium/bucket", dict(keys), mount_point="kv")


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Bucket]:
    async with bucket() as server:
        yield server


def over(server: Bucket, stack: Stack, wait: str = "10") -> AbstractAsyncContextManager[Site]:
    """An application with its files in the bucket."""
    where = {"ATTACHMENTS_URL": "s3://scriptorium/files", "ATTACHMENTS_ENDPOINT": server.endpoint}
    return running(stack, prepare=lambda _: None, VAULT_WAIT=wait, **where)


@pytest.fixture(scope="module")
async def remote(site: Site, server: Bucket) -> AsyncIterator[Site]:
    """The application with its files in the bucket."""
    hand_over(site.stack, server.keys[0])
    async with over(server, site.stack) as remote:
        await until_writable(remote.app.extensions[Store.__name__])
        yield remote


async def until_writable(store: Store) -> None:
    """Its volumes come a moment after its door."""
    async with asyncio.timeout(60):
        while True:
            try:
                await obstore.put_async(store._store, "warm", b"x")
            except BaseError:
                await asyncio.sleep(0.2)
            else:
                return


def of(server: Bucket, keys: Mapping[str, str]) -> S3Store:
    """The bucket as any other client sees it."""
    return S3Store(
        "scriptorium", endpoint=server.endpoint, region="us-east-1", client_options={"allow_http": True},
        access_key_id=keys["access_key_id"], secret_access_key=keys["secret_access_key"],
    )  # fmt: skip


async def test_what_goes_in_comes_out_and_goes(remote: Site, server: Bucket) -> None:
    alice = await makers.signed_in(remote, "sponsor")
    document_id = (await makers.document(alice))["id"]
    content = os.urandom(6 * MIB)  # more than one part of an upload
    # Of this test alone: bytes that a document of another test has too are not thrown away.
    picture = makers.PIXEL + os.urandom(8)
    for name, bytes_of in (("large.bin", content), ("again.bin", content), ("ink.png", picture)):
        made = await makers.attachment(alice, document_id, bytes_of, name)
        page = f"/documents/{document_id}/attachments/{made}"
        assert (await alice.browser.get(page)).content == bytes_of
    shown = await alice.browser.get(f"{page}/image")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    everything = [one["path"] async for some in obstore.list(of(server, server.keys[0]), "files/") for one in some]
    assert sorted(name.split("/")[1] for name in everything if "warm" not in name) == ["blobs", "blobs", "inline"]
    files = (await alice.program.get(f"/api/v1/documents/{document_id}/attachments")).json()["items"]
    for file in files:
        assert (await alice.program.delete(f"/api/v1/documents/{document_id}/attachments/{file['id']}")).is_success
    store: Store = remote.app.extensions[Store.__name__]
    async with remote.resources.database.transaction() as db:
        await service.sweep(db, store, settled=timedelta(0))
    for file in files:
        assert await store.read(blob_name(bytes.fromhex(file["sha256"]))) is None


async def test_wrong_keys_open_nothing(server: Bucket) -> None:
    """Or the rest of this file would prove nothing: the server checks signatures (SigV4)."""
    for wrong in ("access_key_id", "secret_access_key"):
        with pytest.raises(BaseError):
            await obstore.put_async(of(server, server.keys[0] | {wrong: "x" * 20}), "files/x", b"x")


async def test_keys_turn_while_it_serves(remote: Site, server: Bucket) -> None:
    alice = await makers.signed_in(remote, "sponsor")
    document_id = (await makers.document(alice))["id"]
    hand_over(remote.stack, server.keys[1])
    await remote.resources.secrets.refresh("rings")
    held = remote.resources.secrets.snapshot.bucket
    assert held is not None
    assert held.access_key_id == server.keys[1]["access_key_id"]
    assert held.secret_access_key not in repr(held)
    await makers.attachment(alice, document_id, os.urandom(100), "a.bin")


async def test_what_the_bucket_refuses_is_said_and_forgotten(remote: Site, server: Bucket) -> None:
    alice = await makers.signed_in(remote, "sponsor")
    document_id = (await makers.document(alice))["id"]
    hand_over(remote.stack, {"access_key_id": "nobody", "secret_access_key": secrets.token_hex(10)})
    try:
        async with over(server, remote.stack) as other:
            there = await makers.signed_in(other, "sponsor")
            path = f"/api/v1/documents/{(await makers.document(there))['id']}/attachments?name=a"
            refused = await there.program.raw("POST", path, b"x")
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert "retry-after" in refused.headers
    finally:
        hand_over(remote.stack, server.keys[0])
    assert (await alice.program.get(f"/api/v1/documents/{document_id}/attachments")).json()["items"] == []


async def test_a_bucket_without_keys_in_vault_stops_the_start(site: Site, server: Bucket) -> None:
    hand_over(site.stack, {"access_key_id": "only half"})
    try:
        with pytest.raises((VaultStartError, AssertionError), match="secret_access_key"):
            async with over(server, site.stack, wait="1"):
                pass
    finally:
        hand_over(site.stack, server.keys[0])


def test_keys_are_no_settings() -> None:
    names = [name for name in Settings.__dataclass_fields__ if "attachments" in name]
    assert not [name for name in names if "key" in name or "secret" in name]
