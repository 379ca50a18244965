"""Small plots of numbers by day or hour, drawn on the server as SVG: classes only, so that the strict policy lets them pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from markupsafe import Markup

WIDTH, HEIGHT, TOP, BOTTOM = 300, 96, 14, 16
GAP: Final = 0.2  # of a bar's place
_FRAME = Markup(
    '<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{key}-title {key}-desc">'
    '<title id="{key}-title">{title}</title><desc id="{key}-desc">{text}</desc>'
    '<line class="plot-base" x1="0" y1="{base}" x2="{width}" y2="{base}"/>{bars}'
    '<text class="plot-label" x="0" y="10">{most}</text>'
    '<text class="plot-label" x="0" y="{foot}">{first}</text>'
    '<text class="plot-label plot-end" x="{width}" y="{foot}">{last}</text></svg>'
)
_BAR = Markup('<rect class="plot-bar" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>')


def bars(key: str, title: str, days: Sequence[date], values: Sequence[int]) -> Markup:
    """One bar for each day, or for each hour where `days` are moments.

    `key` is the beginning of ids and new on its page; the description says it in words.
    """
    base, most = HEIGHT - BOTTOM, max(values, default=0)
    place = WIDTH / max(1, len(values))
    drawn = Markup().join(
        _BAR.format(
            x=number * place + place * GAP / 2,
            y=base - height,
            width=place * (1 - GAP),
            height=height,
        )
        for number, value in enumerate(values)
        if value and (height := max(1.0, (base - TOP) * value / most))
    )
    return _FRAME.format(
        key=key,
        title=title,
        text=in_words(days, values),
        width=WIDTH,
        height=HEIGHT,
        base=base,
        foot=HEIGHT - 3,
        bars=drawn,
        most=f"{most:,}",
        first=_day(days[0]) if days else "",
        last=_day(days[-1]) if days else "",
    )


def in_words(days: Sequence[date], values: Sequence[int]) -> str:
    """What somebody who does not see the plot should know of it."""
    if not values or not any(values):
        return f"None in the {len(values)} {_unit(days)}s."
    peak = max(range(len(values)), key=values.__getitem__)
    unit = _unit(days)
    at, on_last = ("on", "on the last day") if unit == "day" else ("at", "in the last hour")
    most = f"most {at} {_day(days[peak])}: {values[peak]:,}"
    return f"{sum(values):,} in {len(values)} {unit}s; {most}; {on_last}: {values[-1]:,}."


def _unit(days: Sequence[date]) -> str:
    return "hour" if days and isinstance(days[0], datetime) else "day"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}" + (f" {day:%H:%M}" if isinstance(day, datetime) else "")
