"""The search for secrets that is made in all tests: it knows what is hidden, and it finds what is there."""

from __future__ import annotations

import secrets

from tests import makers
from tests.canaries import CANARIES, Canaries
from tests.site import Site, everything_stored


async def test_what_the_application_holds_is_hidden(site: Site) -> None:
    snapshot = site.resources.secrets.snapshot
    named = set(CANARIES.hidden.values())
    assert {f"{name} key {ring.signing.version}" for name, ring in snapshot.rings.items()} <= named
    assert {"database password", "Valkey password", "token of the deployer"} <= named
    assert snapshot.login.password in CANARIES.hidden


def test_a_secret_is_found_in_each_of_its_forms() -> None:
    canaries, secret = Canaries(), secrets.token_bytes(32)
    canaries.hide("key", secret)
    canaries.look("nowhere", secrets.token_hex(32))
    assert canaries.seen == set()
    canaries.look("hex", f"key={secret.hex()};")
    assert canaries.seen == {"key in hex"}


async def test_the_tables_are_looked_through(site: Site) -> None:
    word = "in words " + secrets.token_hex(8)
    canaries = Canaries()
    canaries.hide("a display name", word.encode())
    canaries.look("tables", await everything_stored(site.stack))
    assert canaries.seen == set()
    await makers.person(site, name=word)
    canaries.look("tables", await everything_stored(site.stack))
    assert canaries.seen == {"a display name in tables"}
