"""Who signs access tokens: this process with a key in memory, or Vault with a key that never leaves it."""

from __future__ import annotations

from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.vault.snapshot import Key, SecretSource

SIGNATURE_HALF: Final = 32  # bytes (RFC 7518 3.4)


class Signing(Protocol):
    """How a signature is made: under a version of the ring, over the bytes RFC 7515 5.1 names."""

    prefix: str

    async def __call__(self, key: Key, data: bytes, /) -> bytes:
        """64 bytes (RFC 7518 3.4); raises Unavailable when the key cannot be reached."""


class InMemory:
    """The ring holds private keys: signing costs 40 microseconds and goes on while Vault is away."""

    prefix = ""

    def __init__(self) -> None:
        self._value = b""
        self._private: ec.EllipticCurvePrivateKey

    async def __call__(self, key: Key, data: bytes, /) -> bytes:
        if key.value != self._value:
            private = load_pem_private_key(key.value, None)
            if not isinstance(private, ec.EllipticCurvePrivateKey):
                raise TypeError("the token key is not for ES256")
            self._value, self._private = key.value, private
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(SIGNATURE_HALF) + s.to_bytes(SIGNATURE_HALF)


class InVault:
    """The ring holds public keys only; every signature is one question to Vault, and none is given while it is away.

    Its key ids begin with a letter: a version of the one ring must never be taken for the same number of the other.
    """

    prefix = "v"

    def __init__(self, secrets: SecretSource) -> None:
        self._secrets = secrets

    async def __call__(self, key: Key, data: bytes, /) -> bytes:
        return await self._secrets.sign_token(data, key.version)
