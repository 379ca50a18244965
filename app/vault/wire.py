"""Snapshots as JSON for the broker's private socket, and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.vault.snapshot import BucketKeys, DatabaseLogin, Key, KeyRing, Snapshot


def to_wire(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON values.  The result holds secrets: it goes to the socket and nowhere else."""
    login = snapshot.login
    return {
        "generation": snapshot.generation,
        "login": {
            "generation": login.generation,
            "user": login.user,
            "password": login.password,
            "valid_until": None if login.valid_until is None else login.valid_until.isoformat(),
        },
        "rings": {name: [_key_out(key) for key in ring.keys] for name, ring in snapshot.rings.items()},
        "valkey_password": snapshot.valkey_password,
        "smtp_password": snapshot.smtp_password,
        "state": snapshot.state,
        "since": snapshot.since.isoformat(),
        "facts": dict(snapshot.facts),
        "bucket": snapshot.bucket and [snapshot.bucket.access_key_id, snapshot.bucket.secret_access_key],
    }


def from_wire(data: Mapping[str, Any]) -> Snapshot:
    """The snapshot that `to_wire` wrote; raises KeyError, TypeError or ValueError for anything else."""
    login = data["login"]
    rings = {name: KeyRing(name, tuple(_key_in(key) for key in keys)) for name, keys in data["rings"].items()}
    return Snapshot(
        generation=int(data["generation"]),
        login=DatabaseLogin(
            generation=int(login["generation"]),
            user=login["user"],
            password=login["password"],
            valid_until=None if login["valid_until"] is None else datetime.fromisoformat(login["valid_until"]),
        ),
        rings=MappingProxyType(rings),
        valkey_password=data["valkey_password"],
        smtp_password=data["smtp_password"],
        state=data["state"],
        since=datetime.fromisoformat(data["since"]),
        facts=MappingProxyType(dict(data["facts"])),
        # A broker of the release before says nothing of buckets.
        bucket=BucketKeys(*map(str, data["bucket"])) if data.get("bucket") else None,
    )


def _key_out(key: Key) -> dict[str, Any]:
    return {
        "version": key.version,
        "value": base64.b64encode(key.value).decode(),
        "created": key.created.isoformat(),
        "state": key.state,
        "signs_from": key.signs_from.isoformat(),
    }


def _key_in(data: Mapping[str, Any]) -> Key:
    return Key(
        version=int(data["version"]),
        value=base64.b64decode(data["value"], validate=True),
        created=datetime.fromisoformat(data["created"]),
        state=data["state"],
        signs_from=datetime.fromisoformat(data["signs_from"]),
    )
