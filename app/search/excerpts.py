"""The part of a text that is shown of it, with the words marked that were looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Integer, Text, bindparam, case, func, select
from sqlalchemy.sql.selectable import FromClause, LateralFromClause, NamedFromClause

from app.search.parts import SIMPLE, integer, literal, query
from app.search.wording import START, STOP

_SHOWN: Final = 6_000  # characters of a text that an excerpt is looked for in
_AROUND: Final = 700  # characters it is taken from
_BEFORE: Final = 300  # of those, before the rarest word
_HEADLINE: Final = f'StartSel={START},StopSel={STOP},MaxFragments=2,MaxWords=24,MinWords=8,FragmentDelimiter=" … "'
_SPACE: Final = literal(" ")


def excerpt(texts: Sequence[NamedFromClause]) -> tuple[tuple[LateralFromClause, ...], ColumnElement[str]]:
    """What is joined, with the text of each row cut to where its rarest word is, and the excerpt from there.

    Words are marked one by one, so that those are which stand far from the others.  Reading a long text to mark it takes as
    long as everything else together: the word that is met last, going through the text, is the rarest in it, and the
    others are not far.  Only where a part of another word was taken for it is the whole text read.  Cuts go through spaces,
    so that no half of a word is taken for one; the text stands between two more of them.
    """
    body = func.coalesce(*[text.c.body for text in texts])
    held = _apart("held", _SPACE.op("||")(func.left(body, integer(_SHOWN))).op("||")(_SPACE), *texts)
    low = _apart("low", func.lower(held.c.it, type_=Text()), held)
    word = func.unnest(bindparam("sought", type_=ARRAY(Text()))).table_valued("word", name="sought").render_derived()
    begins = func.nullif(func.strpos(low.c.it, _SPACE.op("||")(word.c.word)), integer(0))
    place = func.max(func.coalesce(begins, func.nullif(func.strpos(low.c.it, word.c.word), integer(0))))
    met = _apart("met", func.coalesce(place, integer(1), type_=Integer()), low)
    start = func.greatest(met.c.it - integer(_BEFORE), integer(1), type_=Integer())
    cut = _apart("cut", func.substr(held.c.it, start, integer(_AROUND), type_=Text()), held, met)
    ahead = _apart("ahead", func.substr(cut.c.it, func.strpos(cut.c.it, _SPACE) + integer(1), type_=Text()), cut)
    behind = func.strpos(func.reverse(ahead.c.it), _SPACE)
    near = _apart("near", func.left(ahead.c.it, func.length(ahead.c.it) - behind, type_=Text()), ahead)
    marked = _apart("marked", _headline(near.c.it), near)
    found = func.strpos(marked.c.it, literal(START)) > integer(0)
    return (held, low, met, cut, ahead, near, marked), case((found, marked.c.it), else_=_headline(held.c.it))


def _headline(text: ColumnElement[str]) -> ColumnElement[str]:
    made: ColumnElement[str] = func.ts_headline(SIMPLE, text, query("any"), literal(_HEADLINE), type_=Text())
    return made


def _apart(name: str, made: ColumnElement[Any], *of: FromClause) -> LateralFromClause:
    """What is worked out of others once for each row, though it is used more than once."""
    return select(made.label("it")).correlate(*of).offset(integer(0)).lateral(name)
