"""The canonical form: any language can recompute it, PostgreSQL does not change it, and every part of it counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit.chain import EVENT_FORM, Link, check_plain, event_hash, personal_digest
from app.audit.copying import CopiedSeal, CopyDamagedError, append, read
from app.audit.signing import parse_signature
from app.ids import new_id
from tests.audit.conftest import Trail

# All PostgreSQL keeps as text: everything but NUL and lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
DETAILS = st.dictionaries(TEXT, PLAIN, max_size=4)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds only
LINKS = st.builds(
    Link,
    id=st.uuids(),
    transaction=st.integers(0, 2**62),
    sequence=st.integers(0, 2**62),
    at=MOMENTS,
    kind=TEXT,
    actor_id=st.none() | st.uuids(),
    actor_via=TEXT,
    target_type=TEXT,
    target_id=TEXT,
    request_id=st.none() | TEXT,
    details=DETAILS,
    personal_digest=st.binary(min_size=32, max_size=32),
)


def by_hand(link: Link) -> bytes:
    """The hash as somebody would write it who only read how the form is described."""
    microseconds = (link.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    parts = [EVENT_FORM, str(link.id), link.transaction, link.sequence, microseconds, link.kind]
    parts += [None if link.actor_id is None else str(link.actor_id), link.actor_via, link.target_type, link.target_id]
    parts += [link.request_id, dict(link.details), link.personal_digest.hex()]
    return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()


@given(LINKS)
def test_the_hash_is_that_of_the_described_form(link: Link) -> None:
    assert event_hash(link) == by_hand(link)


@given(LINKS, LINKS)
def test_every_part_counts(one: Link, other: Link) -> None:
    for name in Link._fields:
        mixed = one._replace(**{name: getattr(other, name)})
        assert (event_hash(mixed) == event_hash(one)) == (by_hand(mixed) == by_hand(one))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=DETAILS, name=TEXT, address=st.none() | TEXT)
async def test_postgresql_gives_back_what_was_hashed(
    trail: Trail, details: dict[str, Any], name: str, address: str | None
) -> None:
    back = await trail.root.fetchrow(
        "SELECT $1::jsonb::text, audit_personal_digest($2, $3, $4)", json.dumps(details), b"salt", name, address
    )
    assert json.loads(back[0]) == details
    assert back[1] == personal_digest(b"salt", name, address, None)


@given(DETAILS)
def test_plain_details_are_taken(details: dict[str, Any]) -> None:
    check_plain(details)


@pytest.mark.parametrize(
    "value", [1.5, b"x", UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), {"a": [1.0]}, [[1.0]], {1: 1}, {"a": {1, 2}}]
)
def test_what_could_come_back_otherwise_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        check_plain({"x": value})


@pytest.mark.parametrize("text", ["", "vault:v1", "vault:1:YQ==", "vault:v1:***", "other:v1:YQ==", "vault:v-1:YQ=="])
def test_only_signatures_of_vault_are_read(text: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        parse_signature(text)


def copied(number: int) -> CopiedSeal:
    return CopiedSeal(number, "00" * 32, 1, 1, 1, datetime(2026, 1, 1, tzinfo=UTC), 1, "11" * 64)


def test_a_line_cut_short_by_a_crash_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "new" / f"{new_id()}.jsonl"
    append(path, copied(1))
    with path.open("ab") as file:
        file.write(b'{"seal":2,"dig')
    append(path, copied(2))
    append(path, copied(2))
    assert [seal.seal for seal in read([path])] == [1, 2, 2]
    assert path.stat().st_mode & 0o077 == 0


def test_copies_of_several_hosts_are_read_as_one(tmp_path: Path) -> None:
    for number in (1, 2, 5):
        append(tmp_path / "a", copied(number))
    for number in (3, 4, 6):
        append(tmp_path / "b", copied(number))
    assert [seal.seal for seal in read([tmp_path / "a", tmp_path / "b"])] == [1, 2, 3, 4, 5, 6]
    append(tmp_path / "a", copied(3))
    with pytest.raises(CopyDamagedError, match="line 4"):
        list(read([tmp_path / "a"]))
