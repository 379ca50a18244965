"""Which key signs, which verifies, and which is dead: the same for everybody who reads the same metadata."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Unavailable
from app.vault.errors import Missing
from app.vault.keyring import KvKeyRing, Listing, Version, key_value, read_listing, seconds

START = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = 600.0


def at(offset: float) -> datetime:
    return START + timedelta(seconds=offset)


def ring_of(versions: list[tuple[int, float, bool]], *, activate_after: float = 30.0) -> KvKeyRing:
    ring = KvKeyRing("session")
    listing = Listing(tuple(Version(n, at(created), alive) for n, created, alive in versions), activate_after, GRACE)
    ring.adopt(listing)
    ring.values = {number: bytes([number]) * 32 for number in listing.alive}
    return ring


def test_a_new_key_verifies_at_once_and_signs_after_its_delay() -> None:
    ring = ring_of([(1, 0, True), (2, 1000, True)])
    early, late = ring.ring(at(1029)), ring.ring(at(1030))
    assert [key.version for key in early.verifying] == [2, 1]
    assert (early.signing.version, late.signing.version) == (1, 2)
    assert ring.next_change(at(1000)) == 30


def test_the_predecessor_verifies_until_the_grace_is_over() -> None:
    ring = ring_of([(1, 0, True), (2, 1000, True)])
    assert ring.ring(at(1030 + GRACE - 1)).find(1)
    after = ring.ring(at(1030 + GRACE))
    assert after.find(1) is None
    assert after.signing.version == 2


def test_the_first_key_of_all_signs_at_once() -> None:
    assert ring_of([(1, 0, True)]).ring(at(1)).signing.version == 1


def test_a_destroyed_key_is_dead_at_once_and_the_one_before_takes_over() -> None:
    ring = ring_of([(1, 0, True), (2, 1000, True)])
    ring.adopt(Listing((Version(1, at(0), True), Version(2, at(1000), False)), 30.0, GRACE))
    usable = ring.ring(at(1100))
    assert usable.find(2) is None
    assert usable.signing.version == 1
    assert 2 not in ring.values


def test_a_ring_without_a_key_refuses_to_sign() -> None:
    with pytest.raises(Unavailable):
        _ = ring_of([(1, 0, False)]).ring(at(10)).signing


@given(
    gaps=st.lists(st.floats(min_value=0.1, max_value=2000.0), min_size=1, max_size=8),
    dead=st.sets(st.integers(min_value=1, max_value=8)),
    moment=st.floats(min_value=0.0, max_value=20000.0),
)
def test_whatever_the_history_one_usable_key_signs_and_it_also_verifies(
    gaps: list[float], dead: set[int], moment: float
) -> None:
    created, versions = 0.0, []
    for number, gap in enumerate(gaps, start=1):
        versions.append((number, created, number not in dead))
        created += gap
    # A version is only listed once it exists.
    versions = [version for version in versions if version[1] <= moment]
    ring = ring_of(versions).ring(at(moment))
    alive = [number for number, _, living in versions if living]
    assert bool(ring.keys) == bool(alive)
    if alive:
        assert [key.state for key in ring.keys].count("signing") == 1
        assert ring.find(ring.signing.version) is ring.signing
        assert [key.version for key in ring.keys] == sorted((key.version for key in ring.keys), reverse=True)
        assert ring.keys[0].version == max(alive)


@given(
    rotations=st.lists(st.floats(min_value=100.0, max_value=900.0), min_size=1, max_size=6),
    behind=st.floats(min_value=0.0, max_value=29.0),
)
def test_what_one_host_signs_every_other_host_verifies(rotations: list[float], behind: float) -> None:
    """A host that read the metadata up to 29 s ago knows every key another host may sign with."""
    created, history = 0.0, [(1, 0.0, True)]
    for number, gap in enumerate(rotations, start=2):
        created += gap
        history.append((number, created, True))
    for moment in (offset * 7.0 for offset in range(int(created / 7) + 20)):
        current = ring_of([entry for entry in history if entry[1] <= moment]).ring(at(moment))
        stale = ring_of([entry for entry in history if entry[1] <= max(0.0, moment - behind)]).ring(at(moment))
        assert stale.find(current.signing.version)


def test_metadata_as_vault_writes_it() -> None:
    entry: dict[str, Any] = {"created_time": "2026-01-01T00:00:00.123456789Z", "deletion_time": "", "destroyed": False}
    listing = read_listing(
        {
            "versions": {
                "10": entry,
                "9": entry | {"destroyed": True},
                "8": entry | {"deletion_time": "2026-01-02T00:00:00.1Z"},
            },
            "custom_metadata": {"activate_after": "15", "grace": "24h"},
        }
    )
    assert [(version.number, version.alive) for version in listing.versions] == [(8, False), (9, False), (10, True)]
    assert listing.versions[-1].created == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert (listing.activate_after, listing.grace) == (15.0, 86400.0)
    assert read_listing({"versions": None, "custom_metadata": None}).alive == ()


@pytest.mark.parametrize(
    ("text", "meant"), [("30", 30.0), ("15m", 900.0), ("7d", 604800.0), ("soon", 5.0), ("", 5.0), (None, 5.0)]
)
def test_durations(text: str | None, meant: float) -> None:
    assert seconds(text, 5.0) == meant


def test_keys_are_checked_and_never_quoted() -> None:
    good = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    assert len(key_value("kv/x", "key", {"key": good})) == 32
    for bad in (None, "", 7, "short", "ä" * 50, good[:20]):
        with pytest.raises(Missing, match="kv/x") as refused:
            key_value("kv/x", "key", {"key": bad})
        assert "'key'" in str(refused.value)
        assert good[:20] not in str(refused.value)
    with pytest.raises(Missing, match="PEM"):
        key_value("kv/token", "private_key", {"private_key": good})
