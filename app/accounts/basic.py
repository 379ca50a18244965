"""HTTP Basic, remembered for a moment: a program that sends its password with each request must not cost a hash each.

What is remembered is an HMAC of address and password under a key of this process alone, so nothing that could be
guessed against is kept, and a person's end or change of rights voids it like every other credential.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from app.accounts.service import email_key
from app.ids import now
from app.rights.facts import CredentialFacts, PersonFacts, password_name

GOOD_FOR: Final = timedelta(seconds=60)


class BasicCache:
    """Names and facts under which right answers are remembered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def name(self, email: str, password: str) -> tuple[str, bytes]:
        """What a pair of address and password is remembered under."""
        pair = f"{email_key(email)}\0{password}".encode("utf-8", "surrogatepass")
        return "basic", hmac.new(self._key, pair, sha256).digest()

    def facts(self, person: PersonFacts) -> CredentialFacts:
        """The facts of a pair that was right just now."""
        return CredentialFacts("basic", password_name(person.id), person.id, person.epoch, now() + GOOD_FOR)
