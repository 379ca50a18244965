"""In which of three ways the newest matches are found, and the statements for it.

Only the newest matches are ranked, `RANKED` in all: opening texts costs more than naming them.  Where one text in six of those
that are wanted should match, as PostgreSQL's own statistics have it, the newest of these are opened one after the other until
there are enough (`Opened`).  Else the words are looked up in their index just as they were typed: all of their texts where
those should be few (`Whole`), and otherwise only the newest, where that index meets the one of the dates (`Named`).  What that
finds too little of is looked for once more, among all texts and by the beginnings of the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from math import ceil
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import CTE, Boolean, ColumnElement, DateTime, Select, bindparam, func, select, true, union

from app.search.parts import count, integer, number, query, words
from app.search.shapes import Kind, Looked, Shape, looked_at

Way = Literal["Whole", "Named", "Opened"]
Ways = tuple[tuple[Kind, Way], ...]

RANKED: Final = 200
"""Matches that are ranked, the newest, as many of each kind; beyond that more words are a better help than more pages."""
SIMILAR: Final = 100
"""The same where nothing held the words: of texts that only may be meant there is one page (`LARGEST_PAGE`)."""
_AMPLE: Final = 2
"""How many times as many texts are looked at as should be needed."""
MANY: Final = 10_000
"""Texts of a kind; of fewer, all are looked at."""
_FEW: Final = 2_000
"""Matches that are all looked at: fetching so many costs no more than the index of the dates does."""
_COMMON: Final = 6
"""Of so many texts one matches where it is cheaper to open the newest ones than to read where the words are."""


class Expected(NamedTuple):
    """Texts of a kind that hold the words and keep within all limits, those within the limits, and all there are."""

    matches: int
    within: int
    texts: int


def way(numbers: Expected) -> Way:
    """How so many matches are found soonest."""
    if numbers.texts > MANY and numbers.matches * _COMMON >= numbers.within:
        return "Opened"
    return "Whole" if numbers.texts <= MANY or numbers.matches <= _FEW else "Named"


def enough(way: Way, numbers: Expected, ranked: int) -> int:
    """Among how many of the newest texts is looked first; 0 where it is among all of them."""
    if way == "Opened":
        return ceil(_AMPLE * ranked * max(1, numbers.within / numbers.matches))
    if way == "Named":
        return ceil(_AMPLE * ranked * numbers.texts / numbers.matches)
    return 0


def latest(shape: Shape, ways: Ways) -> dict[Kind, CTE]:
    """The newest matches of each kind: id, at, person_id, state."""
    looked = {kind: looked_at(kind, shape) for kind in shape.kinds}
    first = {kind: _FIRST[way](kind, looked[kind], shape.ranked) for kind, way in ways}
    few = sum((count(found) for found, _ in first.values()), integer(0)) < integer(shape.ranked)
    chosen: dict[Kind, CTE] = {}
    for kind, (found, beyond) in first.items():
        more = _BEGINNINGS & few if beyond is None else beyond & (count(found) < integer(shape.ranked))
        chosen[kind] = _newest(kind, looked[kind], found, more, shape.ranked)
    return chosen


_First = tuple[CTE, ColumnElement[bool] | None]
"""What is found first, and whether there may be more that hold the words; None where all of those were looked at."""


def _whole(kind: Kind, looked: Looked, ranked: int) -> _First:
    """The newest of all texts that hold the words just as they were typed."""
    return _cut(f"{kind}_first", looked.named.where(looked.matching("whole")), looked.at, ranked), None


def _named(kind: Kind, looked: Looked, ranked: int) -> _First:
    """The newest of the newest texts that hold the words just as they were typed, by their index."""
    since: ColumnElement[datetime] = bindparam(f"{kind}_since", type_=DateTime(timezone=True))
    # Apart from the rest, so that the words are looked up in their index and nobody walks through all texts by date.
    recent = looked.named.where(looked.at >= since, looked.matching("whole"))
    apart = recent.cte(f"{kind}_recent").prefix_with("MATERIALIZED")
    return _cut(f"{kind}_first", select(apart), apart.c.at, ranked), true()


def _opened(kind: Kind, looked: Looked, ranked: int) -> _First:
    """The newest of the newest texts that hold the words, or begin with them, once one after the other is opened."""
    most = number(f"{kind}_enough")
    # In the order of their dates from an index or sorted, whichever is quicker, but none is opened before its turn.
    there = looked.named.add_columns(looked.model.search.label("search")).order_by(looked.at.desc()).limit(most)
    newest = there.cte(f"{kind}_there").prefix_with("MATERIALIZED")
    holding = func.ts_match_vq(newest.c.search, query("words"), type_=Boolean())
    found = select(newest.c.id, newest.c.at, newest.c.person_id, newest.c.state).where(holding)
    return _cut(f"{kind}_first", found, newest.c.at, ranked), count(newest) == most


_FIRST: Final[Mapping[Way, Callable[[Kind, Looked, int], _First]]] = {
    "Whole": _whole, "Named": _named, "Opened": _opened,
}  # fmt: skip


def _cut(name: str, matches: Select[*tuple[Any, ...]], at: Any, ranked: int) -> CTE:
    return matches.order_by(at.desc()).limit(integer(ranked)).cte(name).prefix_with("MATERIALIZED")


def _newest(kind: Kind, looked: Looked, first: CTE, more: ColumnElement[bool], ranked: int) -> CTE:
    """What was found first and, if there may be `more`, the newest of all texts that begin with the words."""
    rest = looked.named.where(looked.matching(), more).cte(f"{kind}_rest").prefix_with("MATERIALIZED")
    both = union(select(first), select(rest)).subquery()
    return _cut(f"{kind}_newest", select(both), both.c.at, ranked)


_BEGINNINGS: Final = words("words") != words("whole")
"""Whether there are beginnings to look for; known when it is planned, so that nothing is looked up twice."""
