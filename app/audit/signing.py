"""Signatures of seals: as Vault's transit engine writes them, and as Ed25519 (RFC 8032) checks them."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY: Final = "audit"
_OF_VAULT: Final = re.compile(r"vault:v(\d{1,9}):([A-Za-z0-9+/]+=*)")


def parse_signature(text: str) -> tuple[int, bytes]:
    """Key version and signature in Vault's "vault:v1:..."; raises ValueError for anything else."""
    found = _OF_VAULT.fullmatch(text)
    if found is None:
        raise ValueError("this is no signature of Vault's transit engine")
    return int(found[1]), b64decode(found[2], validate=True)


class Signatures:
    """Checks signatures against the public keys Vault still has, by version."""

    def __init__(self, public_keys: Mapping[int, bytes]) -> None:
        self._keys = {version: Ed25519PublicKey.from_public_bytes(key) for version, key in public_keys.items()}

    def retired(self, version: int) -> bool:
        """Whether this version is older than any Vault still gives out; what it signed can no longer be checked."""
        return 0 < version < min(self._keys, default=0)

    def holds(self, version: int, signature: bytes, digest: bytes) -> bool:
        """Whether this is that version's signature of `digest`."""
        key = self._keys.get(version)
        if key is None:
            return False
        try:
            key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True
