"""The kinds of security events, and how many of each within one hour are no longer usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ALERT: Final = "alert."


@dataclass(frozen=True)
class Kind:
    """What it is called, and from how many an hour on it raises an alert: from one source, and from all together.

    Zero says never.
    """

    title: str
    one_source: int
    all_sources: int


# The numbers are for one house of some thousand people: far above what forgetful people and broken programs do.
KINDS: Final[Mapping[str, Kind]] = {
    "guess": Kind("Wrong passwords", 60, 1000),
    "guess_refused": Kind("Sign-in tries refused", 120, 2000),
    "spray": Kind("One password tried on many accounts", 0, 1),
    "many_accounts": Kind("Many accounts tried from one place", 1, 0),
    "account_guessed": Kind("One account tried from many places", 1, 0),
    "new_device": Kind("Sign-ins from new devices", 6, 1000),
    "forged_token": Kind("Tokens we did not issue", 30, 300),
    "probing": Kind("Doors tried by somebody without the right", 60, 1000),
    "cross_site": Kind("Forms sent from elsewhere", 30, 300),
    "hostile": Kind("Requests no browser sends", 200, 5000),
    "bomb": Kind("Bodies too large, too deep or packed", 30, 500),
    "limit": Kind("Requests over a limit", 1000, 50_000),
    "csp": Kind("Violations of the content policy", 200, 2000),
    "store_lost": Kind("Limits without their store", 0, 1),
    "vault": Kind("Trouble with secrets", 0, 1),
}


def title_of(kind: str) -> str:
    """What a kind, or the alert about it, is called."""
    found = KINDS.get(kind.removeprefix(ALERT))
    return kind if found is None else found.title
