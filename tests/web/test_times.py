"""What people read where a time stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web.times import exact, relative, time_element

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "3 March"),
        (timedelta(days=100), "30 November 2025"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(days=-30), "9 April"),
    ],
)
def test_near_times_are_words_and_far_ones_are_dates(ago: timedelta, words: str) -> None:
    assert relative(NOW - ago, NOW) == words


def test_the_exact_time_is_in_utc_whatever_the_zone() -> None:
    tokyo = datetime(2026, 1, 1, 3, 5, tzinfo=timezone(timedelta(hours=9)))
    assert exact(tokyo) == "31 December 2025, 18:05 UTC"


def test_the_element_carries_words_exact_time_and_machine_time() -> None:
    element = str(time_element(NOW - timedelta(hours=2), NOW))
    assert element == '<time datetime="2026-03-10T10:00:00Z" title="10 March 2026, 10:00 UTC">2 hours ago</time>'


def test_what_never_happened_is_said_so() -> None:
    assert time_element(None, NOW) == "never"
