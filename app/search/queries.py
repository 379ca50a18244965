"""Statements that find texts: what to expect, where the newest begin, and the search itself, which is one statement with both
kinds in it, of which only the best page is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, CTE, Select, Text, Uuid, bindparam, column, func, select, table, true, union_all
from sqlalchemy.sql.selectable import NamedFromClause

from app.documents.offered import Document
from app.journal.offered import Entry
from app.prepared import Prepared
from app.search.excerpts import excerpt
from app.search.models import SearchWord
from app.search.parts import integer, literal, number, query
from app.search.shapes import Kind, Shape, looked_at
from app.search.ways import Expected, Ways, latest

PEOPLE: Final = 50
"""People a part of a name may stand for."""
_NEAR: Final = 5
"""Words that may stand for one that was spelt wrongly."""
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()), column("search_text", Text()))
BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where "the newest" begin when that is all of them (`entry_since`, `document_since`)."""

# In one go.  The planner knows the words only when it plans each search anew.  It believes that opening a long text costs
# nothing, so that it would read all texts from one end to the other, and that fetching a row from anywhere takes as long as
# from a turning disk; what is searched lies in memory or on a disk without an arm.
BEGIN: Final = (
    "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = off; "
    "SET LOCAL random_page_cost = 1.1; SET LOCAL statement_timeout = '2s'; SET LOCAL pg_trgm.similarity_threshold = 0.3"
)


@lru_cache(maxsize=256)
def estimate(shape: Shape) -> Prepared:
    """To be planned only: of each kind the matches, those there would be for any words, then all there are."""
    parts = []
    for kind in shape.kinds:
        looked = looked_at(kind, shape)
        within = select(looked.model.id).where(*looked.dates, *looked.where)
        parts += [within.where(looked.matching("whole")), within, select(looked.model.id)]
    return Prepared(union_all(*parts))


def expected(plan: Mapping[str, Any], kinds: tuple[Kind, ...]) -> dict[Kind, Expected]:
    """What the plan of `estimate` says of each kind; at least one text of each, also where it knows that there is none."""
    rows = [max(1, part["Plan Rows"]) for part in plan["Plans"]]
    return {kind: Expected(*rows[3 * number : 3 * number + 3]) for number, kind in enumerate(kinds)}


@lru_cache(maxsize=256)
def beginnings(shape: Shape, kinds: tuple[Kind, ...]) -> Prepared:
    """The dates of the last of so many newest texts (`entry_enough`, `document_enough`); None where there are fewer."""
    dates = []
    for kind in kinds:
        looked = looked_at(kind, shape)
        newest = select(looked.at).where(*looked.dates).order_by(looked.at.desc())
        dates.append(newest.offset(number(f"{kind}_enough")).limit(integer(1)).scalar_subquery().label(kind))
    return Prepared(select(*dates))


@lru_cache(maxsize=256)
def search(shape: Shape, ways: Ways) -> Prepared:
    """The best of the newest matches of each kind, a page of them."""
    either = union_all(*[_ranked(kind, found) for kind, found in latest(shape, ways).items()]).subquery("either")
    page = select(either).order_by(either.c.rank.desc(), either.c.at.desc(), either.c.id)
    best = page.limit(number("limit")).offset(number("offset")).cte("best").prefix_with("MATERIALIZED")
    texts = {kind: _text(kind) for kind in shape.kinds}
    title = func.coalesce(*[text.c.title for text in texts.values()])
    joined: Any = best
    for kind, text in texts.items():
        joined = joined.outerjoin(text, (text.c.id == best.c.id) & (best.c.kind == literal(kind)))
    steps, shown = excerpt(list(texts.values()))
    for step in steps:
        joined = joined.join(step, true())
    return Prepared(
        select(
            best.c.kind,
            best.c.id,
            title.label("title"),
            shown.label("excerpt"),
            best.c.person_id,
            _PEOPLE.c.display_name.label("person_name"),
            best.c.state,
            best.c.at,
            best.c.rank,
        )
        .select_from(joined.join(_PEOPLE, _PEOPLE.c.id == best.c.person_id))
        .order_by(best.c.rank.desc(), best.c.at.desc(), best.c.id)
    )


@cache
def people_named() -> Prepared:
    """People with this in their names; the index over what administrators search for has the names in it."""
    pattern = bindparam("pattern", type_=Text())
    within = _PEOPLE.c.search_text.like(func.lower(pattern)) & _PEOPLE.c.display_name.ilike(pattern)
    return Prepared(select(_PEOPLE.c.id).where(within).limit(integer(PEOPLE)))


def pattern_of(part: str) -> str:
    """What `people_named` takes: signs of patterns are only signs."""
    return "%" + part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


@cache
def near_words() -> Prepared:
    """Words of texts that look like any of these, with the number of the word: for each those most alike, in any order."""
    given = bindparam("words", type_=ARRAY(Text()))
    words = func.unnest(given).table_valued("word", with_ordinality="number", name="typed").render_derived()
    typed = words.c.word
    near = (
        select(SearchWord.word)
        .where(SearchWord.word.op("%", is_comparison=True)(typed))
        .order_by(func.similarity(SearchWord.word, typed).desc(), SearchWord.word)
        .limit(integer(_NEAR))
        .lateral("near")
    )
    return Prepared(
        select(words.c.number.label("number"), near.c.word.label("word")).select_from(words.join(near, true()))
    )


def _ranked(kind: Kind, latest: CTE) -> Select[*tuple[Any, ...]]:
    model: Any = Entry if kind == "entry" else Document
    rank = func.ts_rank_cd(model.search, query("words"), integer(1)).label("rank")
    return select(literal(kind).label("kind"), latest, rank).join(model, model.id == latest.c.id)


def _text(kind: Kind) -> NamedFromClause:
    held = Entry.__table__ if kind == "entry" else Document.__table__
    return held.alias(f"{kind}_text")
