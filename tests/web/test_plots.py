"""Plots: one bar for a day, the highest as high as there is room, nothing that the strict policy would refuse."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta

from app.web.plots import HEIGHT, bars, in_words

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(4)]


def test_bars_are_as_high_as_their_numbers() -> None:
    drawn = ET.fromstring(str(bars("x", "Sign-ins", DAYS, [0, 5, 10, 1000])))  # noqa: S314 - our own
    heights = [float(bar.get("height", "0")) for bar in drawn.iter("rect")]
    assert len(heights) == 3, "nothing is drawn for nothing"
    assert heights == sorted(heights)
    assert heights[0] == 1.0, "what is there is seen, however small"
    assert heights[-1] < HEIGHT
    assert all(bar.get("class") == "plot-bar" and bar.get("style") is None for bar in drawn.iter("rect"))


def test_words_say_what_the_picture_shows() -> None:
    assert in_words(DAYS, [1, 2, 9, 3]) == "15 in 4 days; most on 3 Jan: 9; on the last day: 3."
    assert in_words(DAYS, [0, 0, 0, 0]) == "None in the 4 days."
    assert in_words([], []) == "None in the 0 days."


def test_titles_are_text() -> None:
    assert "&lt;script&gt;" in bars("x", "<script>", DAYS, [0] * 4)
