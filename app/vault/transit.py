"""Vault's transit engine: keys that sign and encrypt for us and never leave it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from app.vault.grants import b64, pick

ATTEMPTS: Final = 3


class Call(Protocol):
    """The client's one way out: an operation by name, and what to ask of hvac."""

    async def __call__(
        self, operation: str, ask: Callable[[Any], Any], /, *, path: str = "", attempts: int = ATTEMPTS
    ) -> Any: ...


class Transit:
    """The operations of one identity with its keys.  Raises the errors of `app.vault.errors`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def encrypt(self, key: str, plaintext: bytes, context: bytes) -> str:
        answer = await self._call(
            f"encryption with {key}",
            lambda client: client.secrets.transit.encrypt_data(key, b64(plaintext), associated_data=b64(context)),
        )
        return str(pick(answer, "data", "ciphertext"))

    async def decrypt(self, key: str, ciphertext: str, context: bytes) -> bytes:
        answer = await self._call(
            f"decryption with {key}",
            lambda client: client.secrets.transit.decrypt_data(key, ciphertext, associated_data=b64(context)),
        )
        return base64.b64decode(pick(answer, "data", "plaintext"))

    async def wrapped_key(self, key: str) -> str:
        """A new 256-bit key, wrapped by the newest version of `key`; whoever asks for it so never sees it open."""
        answer = await self._call(
            f"data key of {key}",
            lambda client: client.secrets.transit.generate_data_key(key, key_type="wrapped", bits=256),
        )
        return str(pick(answer, "data", "ciphertext"))

    async def unwrap(self, key: str, wrapped: str) -> bytes:
        """A wrapped key, open; raises Invalid when `key` did not wrap it."""
        answer = await self._call(
            f"unwrapping with {key}", lambda client: client.secrets.transit.decrypt_data(key, wrapped)
        )
        return base64.b64decode(pick(answer, "data", "plaintext"))

    async def sign(self, key: str, data: bytes) -> str:
        answer = await self._call(
            f"signature with {key}",
            lambda client: client.secrets.transit.sign_data(key, hash_input=b64(data)),
        )
        return str(pick(answer, "data", "signature"))

    async def sign_token(self, key: str, data: bytes, version: int) -> bytes:
        """ES256 (RFC 7518 3.4) over `data` under this version: not under the newest, which others may not know yet."""
        answer = await self._call(
            f"token signature with {key}",
            lambda client: client.secrets.transit.sign_data(
                key, hash_input=b64(data), key_version=version, hash_algorithm="sha2-256", marshaling_algorithm="jws"
            ),
        )
        text = str(pick(answer, "data", "signature")).rpartition(":")[2]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    async def versions(self, key: str) -> Mapping[int, Mapping[str, Any]]:
        """Every version of a key that still verifies, with `creation_time` and `public_key` (PEM); raises Missing."""
        answer = await self._call(
            f"versions of {key}", lambda client: client.secrets.transit.read_key(key), path=f"transit/keys/{key}"
        )
        return {int(number): fields for number, fields in pick(answer, "data", "keys").items()}

    async def rotate(self, key: str) -> int:
        """Add a version and return the newest one's number.  Tried once: a second try could add a second one."""
        await self._call(
            f"rotation of {key}", lambda client: client.secrets.transit.rotate_key(key), path=key, attempts=1
        )
        return max(await self.versions(key))

    async def withdraw_before(self, key: str, version: int) -> None:
        """Let no older version sign, verify or decrypt any more.  It can be undone only by who may set it back."""
        await self._call(
            f"withdrawal of {key}",
            lambda client: client.secrets.transit.update_key_configuration(key, min_decryption_version=version),
        )

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        """The public halves of an ed25519 key by version; versions retired by min_decryption_version are not there."""
        answer = await self._call(
            f"public keys of {key}",
            lambda client: client.secrets.transit.read_key(key),
        )
        versions = pick(answer, "data", "keys")
        return {int(version): base64.b64decode(pick(fields, "public_key")) for version, fields in versions.items()}
