"""The secrets Vault keeps for the application: made here once, later only rolled forward."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

import hvac
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hvac.exceptions import InvalidPath

from vault.names import TRANSIT_MOUNT, Names

KEY_BYTES = 32
MAX_VERSIONS = 100  # versions are key ids: none may be dropped while what it vouches for lives
DAY = 86_400


@dataclass(frozen=True)
class Ring:
    """One ring of keys: a new version signs `activate_after` seconds after it was written, and its predecessor
    still verifies `grace` seconds longer."""

    grace: int
    activate_after: int = 30

    @property
    def metadata(self) -> dict[str, str]:
        """The ring's two clocks as kv custom metadata, where every reader finds them."""
        return {"activate_after": str(self.activate_after), "grace": str(self.grace)}


# Grace is the longest life of what a key vouches for.  A pepper has no such end: a password keeps it until its owner
# signs in again.
RINGS = {
    "session": Ring(grace=31 * DAY),
    "csrf": Ring(grace=DAY),
    "token": Ring(grace=3_600),
    "refresh": Ring(grace=31 * DAY),
    "pepper": Ring(grace=3_650 * DAY),
    "personal": Ring(grace=31 * DAY),
}


def new_key() -> str:
    """Return 32 random bytes as base64url without padding (RFC 4648 5)."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()


def new_signing_key() -> str:
    """Return a fresh P-256 private key for ES256 (RFC 7518 3.4) as PKCS#8 PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def new_wrapped_key(client: hvac.Client, names: Names) -> str:
    """Return a data key wrapped by transit, which nobody has seen open."""
    answer = client.secrets.transit.generate_data_key(
        names.of("personal"), key_type="wrapped", bits=8 * KEY_BYTES, mount_point=TRANSIT_MOUNT
    )
    wrapped: str = answer["data"]["ciphertext"]
    return wrapped


def new_secret(client: hvac.Client, names: Names, ring: str) -> dict[str, str]:
    """Return the content of a new version of one ring."""
    if ring == "personal":
        return {"wrapped_key": new_wrapped_key(client, names)}
    return {"private_key": new_signing_key()} if ring == "token" else {"key": new_key()}


def read(client: hvac.Client, names: Names, part: str) -> dict[str, Any] | None:
    """Return the newest content of one secret, or None when the path was never written."""
    try:
        answer = client.secrets.kv.v2.read_secret_version(
            names.secret(part), mount_point=names.kv_mount, raise_on_deleted_version=True
        )
    except InvalidPath:
        return None
    content: dict[str, Any] = answer["data"]["data"]
    return content


def ensure_rings(client: hvac.Client, names: Names) -> list[str]:
    """Write the first version of every ring that has none; return the names of those written.

    A path that exists is never touched, not even when its newest version was deleted: that was somebody's decision.
    """
    written = []
    for name, ring in RINGS.items():
        try:
            client.secrets.kv.v2.read_secret_metadata(names.secret(name), mount_point=names.kv_mount)
        except InvalidPath:
            client.secrets.kv.v2.create_or_update_secret(
                names.secret(name), new_secret(client, names, name), cas=0, mount_point=names.kv_mount
            )
            client.secrets.kv.v2.update_metadata(
                names.secret(name), max_versions=MAX_VERSIONS, custom_metadata=ring.metadata, mount_point=names.kv_mount
            )
            written.append(name)
    return written


def ensure_password(client: hvac.Client, names: Names, part: str, password: str | None) -> None:
    """Hold a server's password for the application: the given one, or a new one when none is given and none is kept."""
    kept = read(client, names, part)
    if kept is not None and password in (None, kept.get("password")):
        return
    client.secrets.kv.v2.create_or_update_secret(
        names.secret(part), {"password": password or secrets.token_urlsafe(KEY_BYTES)}, mount_point=names.kv_mount
    )
    client.secrets.kv.v2.update_metadata(names.secret(part), max_versions=MAX_VERSIONS, mount_point=names.kv_mount)
