"""How times are said to people: relative words that carry the exact time with them."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def relative(dt: datetime, now: datetime) -> str:
    """Say when `dt` was (or will be), as seen from `now`; both must be aware.

    Within a week in words ("3 hours ago", "in 2 days"), beyond it as a date, which stays true on a printed page.
    """
    seconds = int((now - dt).total_seconds())
    past, away = seconds >= 0, abs(seconds)
    if away < _MINUTE:
        return "just now" if past else "in a moment"
    if away < _HOUR:
        words = _counted(away // _MINUTE, "minute")
    elif away < _DAY:
        words = _counted(away // _HOUR, "hour")
    elif away < 7 * _DAY:
        words = _counted(away // _DAY, "day")
    else:
        return _date(dt, now)
    return f"{words} ago" if past else f"in {words}"


def exact(dt: datetime) -> str:
    """The time to the minute in UTC, in words that read the same in every country."""
    utc = dt.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def time_element(dt: datetime | None, now: datetime) -> Markup:
    """A `<time>` element with relative words, the exact time as its title, and RFC 3339 for machines.

    No time at all is said as "never", so that a page can show a last use that has not happened.
    """
    if dt is None:
        return Markup("never")
    machine = dt.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, exact(dt), relative(dt, now))


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _date(dt: datetime, now: datetime) -> str:
    day, today = dt.astimezone(UTC), now.astimezone(UTC)
    words = f"{day.day} {_MONTHS[day.month - 1]}"
    return words if day.year == today.year else f"{words} {day.year}"
