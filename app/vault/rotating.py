"""Rolling keys forward under the rotator's identity, which writes new versions and can read none.

A rotation only adds a version.  Everybody accepts it as soon as they know it, the newest one signs once its activation
delay has passed, and the one before is accepted until its grace has ended; so nobody is signed out by a rotation.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.ids import now
from app.settings import Settings
from app.vault.client import VaultClient
from app.vault.errors import Invalid
from app.vault.keyring import FOREVER, KEY_BYTES, Listing, read_listing
from app.vault.snapshot import PERSONAL, RING_FIELDS

KEPT_VERSIONS: Final = 100  # more than anybody rotates within the longest grace


class Rotator:
    """The rotator at work: `async with Rotator(settings, token) as rotator`.  Raises VaultError."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._client = VaultClient(settings.vault_addr, settings.vault_ca, kv_mount=settings.vault_kv_mount)
        self._client.use(token)
        self._name = settings.vault_name
        self._kept_in_vault = frozenset({"token"} if settings.jwt_signer == "vault" else ())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    async def forward(self, ring: str) -> int:
        """Write a new version of a ring's key and return its number; raises Invalid when that would push out another
        version somebody may still rely on.  A key that never leaves Vault is made there."""
        if ring in self._kept_in_vault:
            return await self._client.transit.rotate(f"{self._name}-{ring}")
        path = self._path(ring)
        metadata = await self._client.kv_metadata(path)
        kept = int(metadata.get("max_versions") or 0)
        if kept < KEPT_VERSIONS:
            await self._client.kv_keep_versions(path, kept := KEPT_VERSIONS)
        if (pushed_out := _would_push_out(ring, read_listing(metadata), kept)) is not None:
            raise Invalid(
                f"{ring} was rotated so often that version {pushed_out} would be dropped while it is still accepted; "
                "wait until its grace has ended"
            )
        value = await self._new_wrapped_key() if ring == PERSONAL else _new_key(ring)
        return await self._client.kv_write(path, {RING_FIELDS[ring]: value})

    async def _new_wrapped_key(self) -> str:
        """A data key under a new version of the transit key; its open form is seen by nobody here."""
        key = f"{self._name}-{PERSONAL}"
        await self._client.transit.rotate(key)
        return await self._client.transit.wrapped_key(key)

    async def withdraw_before(self, ring: str, version: int) -> list[int]:
        """Destroy every version older than this one, for good; returns which.  What they vouched for is void."""
        if ring in self._kept_in_vault:
            key = f"{self._name}-{ring}"
            older = [number for number in await self._client.transit.versions(key) if number < version]
            await self._client.transit.withdraw_before(key, version)
            return sorted(older)
        listing = read_listing(await self._client.kv_metadata(self._path(ring)))
        older = [number for number in listing.alive if number < version]
        if older:
            await self._client.kv_destroy(self._path(ring), older)
        return older

    async def end_database_logins(self) -> None:
        """Revoke every lease of the application's database role, on all hosts, in the middle of whatever they do."""
        await self._client.revoke_prefix(f"database/creds/{self._name}-app")

    async def turn_lasting_login(self) -> None:
        """Change the password of the login all hosts share; whoever connects with the old one is refused from now on."""
        await self._client.turn_static_login(f"{self._name}-app-static")

    def _path(self, ring: str) -> str:
        return f"{self._name}/{ring}"


def read_token(file: Path) -> str:
    """The rotator's token; raises Invalid naming the file when it cannot be used."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the rotator's token in {file} cannot be read: {type(error).__name__}") from None
    if not token:
        raise Invalid(f"{file} holds no token")
    return token


def _new_key(ring: str) -> str:
    """32 random bytes in base64url without padding, or for tokens a P-256 key as PKCS #8 in PEM (ES256)."""
    if RING_FIELDS[ring] != "private_key":
        return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _would_push_out(ring: str, listing: Listing, kept: int) -> int | None:
    """The version Vault would drop with the next write although it is still accepted; None when there is none."""
    numbers = [version.number for version in listing.versions]
    if not numbers:
        return None
    oldest = max(numbers) + 1 - kept
    if oldest not in listing.alive:
        return None
    successor = next((version for version in listing.versions if version.number > oldest and version.alive), None)
    accepted = timedelta(seconds=listing.activate_after + listing.grace)
    if successor is None or ring in FOREVER or successor.created + accepted > now():
        return oldest
    return None
