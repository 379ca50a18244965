"""Proofs in the address of a file: for one file, one browser session and some minutes, signed under the session ring.

The origin of files gets no cookies, so an address there must say by itself who it was given to.  It names the session
and not the person, and is worth what the session is worth at the moment: the proof only says that we gave it out.  The
key is derived for this purpose alone, so a proof is nothing else, and withdrawing a session key ends both.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final
from uuid import UUID

from app.vault.snapshot import Key, KeyRing

FIELD: Final = "proof"
WINDOW: Final = 300
"""Seconds within which the same session gets the same address, so that its browser need not fetch a picture again."""
_VERSION, _MOMENT, _SESSION, _MAC = 4, 5, 16, 32
_SIGNED: Final = _VERSION + _MOMENT + _SESSION
_LENGTH: Final = (_SIGNED + _MAC) * 4 // 3
_PURPOSE: Final = b"scriptorium: addresses of files, 1"


def proof(ring: KeyRing, path: str, session_id: UUID, moment: float) -> str:
    """Let whoever holds this session have the file at `path` for one to two windows from `moment` on."""
    return prover(ring, session_id, moment)(path)


def prover(ring: KeyRing, session_id: UUID, moment: float) -> Callable[[str], str]:
    """The same for any number of files: what is alike for all of them is worked out once."""
    key = ring.signing
    until = (int(moment) // WINDOW + 2) * WINDOW
    signed = key.version.to_bytes(_VERSION) + until.to_bytes(_MOMENT) + session_id.bytes
    derived = _derived(key)
    return lambda path: urlsafe_b64encode(signed + _mac(derived, signed, path)).decode("ascii")


def session_in(ring: KeyRing, given: str, path: str, moment: float) -> UUID | None:
    """The session a proof was given to; None when it is not ours, for another file, or over."""
    if len(given) != _LENGTH or not given.isascii():
        return None
    try:
        raw = urlsafe_b64decode(given.encode("ascii"))
    except ValueError:
        return None
    if urlsafe_b64encode(raw).decode("ascii") != given:
        return None  # the decoder is lenient, and one proof has one spelling
    signed, mac = raw[:_SIGNED], raw[_SIGNED:]
    key = ring.find(int.from_bytes(signed[:_VERSION]))
    if key is None or not hmac.compare_digest(mac, _mac(_derived(key), signed, path)):
        return None
    if int.from_bytes(signed[_VERSION : _VERSION + _MOMENT]) <= moment:
        return None
    return UUID(bytes=signed[_VERSION + _MOMENT :])


def _derived(key: Key) -> bytes:
    return hmac.digest(key.value, _PURPOSE, hashlib.sha256)


def _mac(derived: bytes, signed: bytes, path: str) -> bytes:
    return hmac.digest(derived, signed + path.encode("ascii"), hashlib.sha256)
