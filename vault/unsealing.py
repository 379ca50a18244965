"""The first hour of a server and the rare later moment that needs its root again: initialise, unseal, borrow root."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import hvac


@dataclass(frozen=True)
class Initialised:
    """What a server says once in its life.  `keys` unseal it (Shamir) or stand for its owner (auto-unseal)."""

    root_token: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)


def initialise(client: hvac.Client, *, auto_unseal: bool, shares: int = 1, threshold: int = 1) -> Initialised:
    """Initialise an empty server.  Its keys belong to people: whoever holds enough of them holds the server."""
    if auto_unseal:
        body = {"recovery_shares": shares, "recovery_threshold": threshold}
    else:
        body = {"secret_shares": shares, "secret_threshold": threshold}
    answer = client.adapter.put("/v1/sys/init", json=body)
    keys = answer["recovery_keys_base64" if auto_unseal else "keys_base64"]
    return Initialised(answer["root_token"], tuple(keys))


def unseal(client: hvac.Client, keys: Sequence[str]) -> None:
    """Give key shares until the server is open; nothing happens when it is open already."""
    for key in keys:
        if not client.sys.is_sealed():
            return
        client.sys.submit_unseal_key(key)


@contextmanager
def borrowed_root(client: hvac.Client, keys: Sequence[str]) -> Iterator[hvac.Client]:
    """Lend `client` a root token made from the key shares, and revoke it on the way out whatever happened.

    For the changes only root may make after provisioning: new policies of a newer version, a lost deployer token.
    """
    client.adapter.delete("/v1/sys/generate-root/attempt")
    started = client.adapter.put("/v1/sys/generate-root/attempt", json={})
    pad = started["otp"]
    answer = started
    for key in keys:
        answer = client.adapter.put("/v1/sys/generate-root/update", json={"key": key, "nonce": started["nonce"]})
    mixed = answer["encoded_token"]
    raw = base64.b64decode(mixed + "=" * (-len(mixed) % 4))
    client.token = bytes(a ^ b for a, b in zip(raw, pad.encode(), strict=True)).decode()
    try:
        yield client
    finally:
        client.auth.token.revoke_self()
        client.token = None
