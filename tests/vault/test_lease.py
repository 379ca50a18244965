"""The clock of a lease: renewals in the middle, replacement before the end, no storms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.vault.lease import SHORT, LeaseClock, Spacing

seconds = st.floats(min_value=1.0, max_value=86400.0)


@given(ttl=seconds, now=seconds, share=st.floats(min_value=0.0, max_value=1.0))
def test_renewal_is_due_between_half_and_six_tenths(ttl: float, now: float, share: float) -> None:
    clock = LeaseClock(ttl, now, lambda low, high: low + share * (high - low))
    # A short lease sooner, so that an outage of half its length costs nothing.
    low, high = (0.4999, 0.6001) if ttl >= SHORT else (0.2999, 0.4001)
    assert ttl * low <= clock.wait(now) <= ttl * high
    assert abs(clock.left(now) - ttl) < 1e-6
    assert clock.left(now + ttl + 1) == 0


@given(ttl=seconds)
def test_a_full_grant_goes_on_and_a_shrunk_one_asks_for_replacement(ttl: float) -> None:
    clock = LeaseClock(ttl, 0.0)
    assert not clock.renewed(ttl, 10.0)
    assert clock.expires == 10.0 + ttl
    assert clock.renewed(ttl * 0.6, 20.0)


def test_a_lease_near_its_maximum_is_replaced_before_it_ends() -> None:
    """60 s leases that live 200 s at most: the clock never lets one run out."""
    now, end = 0.0, 200.0
    clock = LeaseClock(60.0, now)
    while True:
        now += clock.wait(now)
        assert now < clock.expires
        if clock.renewed(min(60.0, end - now), now):
            break
    assert end - now > 15.0


@given(failures=st.integers(min_value=1, max_value=60))
def test_failed_renewals_are_tried_again_soon_and_never_in_a_hurry(failures: int) -> None:
    clock, now = LeaseClock(3600.0, 0.0), 1800.0
    pauses = []
    for _ in range(failures):
        pause = clock.failed(now)
        assert clock.wait(now) == pause or abs(clock.wait(now) - pause) < 1e-6
        pauses.append(pause)
        now += pause
    assert all(0.09 <= pause <= 5.0 for pause in pauses)
    assert sum(pauses) < 5.0 * failures
    clock.renewed(3600.0, now)
    assert clock.failed(now) <= 0.2


def test_replacements_that_follow_each_other_are_spread_further_and_further() -> None:
    spacing, now, taken = Spacing(5.0, 60.0), 1000.0, 0
    assert spacing.wait(now) == 0
    until = now + 600.0
    while now < until:
        now += spacing.wait(now)
        spacing.took(now, natural=False)
        taken += 1
        now += 0.01
    assert taken <= 15


def test_natural_replacements_stay_five_seconds_apart_and_no_more() -> None:
    spacing = Spacing(5.0, 60.0)
    for turn in range(20):
        now = 1000.0 + turn * 9.0
        assert spacing.wait(now) == 0
        spacing.took(now, natural=True)
        assert 4.9 < spacing.wait(now) <= 5.0
