"""Sealing what is personal: AES-256-GCM (NIST SP 800-38D) under a data key, bound to the very field and row it lies in."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.vault.snapshot import Key, KeyRing

NONCE: Final = 12  # bytes, random: far below 2^32 letters under one key


class Content(msgspec.Struct, frozen=True):
    """What is personal in a letter."""

    address: str
    name: str
    values: dict[str, str]


class Unreadable(Exception):
    """The key is gone, or the bytes were not sealed for this row."""


def seal(key: Key, letter_id: UUID, content: Content) -> bytes:
    """The content, readable only with this key and in this row."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key.value).encrypt(nonce, msgspec.json.encode(content), _context(letter_id))


def unseal(ring: KeyRing, version: int, letter_id: UUID, sealed: bytes) -> Content:
    """What was sealed; raises Unreadable."""
    key = ring.find(version)
    if key is None:
        raise Unreadable("the key was withdrawn")
    try:
        plain = AESGCM(key.value).decrypt(sealed[:NONCE], sealed[NONCE:], _context(letter_id))
        return msgspec.json.decode(plain, type=Content)
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        raise Unreadable("it was not sealed for this row") from None


def _context(letter_id: UUID) -> bytes:
    """Table, column and row: bytes copied to another row, or from another field, do not open there."""
    return f"outbox.sealed:{letter_id}".encode()
