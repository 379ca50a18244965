"""Statements that find texts.  Who may see which document is decided by the documents' own `seen_with`.

Only the newest `RANKED` matches of each kind are ranked: opening texts costs more than naming them.  Where PostgreSQL's
own statistics expect few, all texts are looked at, for the words as they were typed and, if those are too few, for what
begins with them (`Whole`).  Else matches are looked for among the newest texts, of which there should be enough (`enough`),
and among the older ones only where there are not: where one text in ten should match, the newest are opened one after the
other (`Opened`), and otherwise the words' index is met with that of the dates (`Named`).  `search` is one statement with
both kinds in it, of which only the best page is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from math import ceil
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.sql.elements import False_
from sqlalchemy.sql.selectable import NamedFromClause

from app.documents.offered import Document, seen_with
from app.journal.offered import Entry
from app.prepared import Prepared
from app.search.models import SearchWord
from app.search.schemas import SearchQuery
from app.search.wording import START, STOP
from app.web.tags import wanted

Kind = Literal["entry", "document"]
Way = Literal["Whole", "Named", "Opened"]
Ways = tuple[tuple[Kind, Way], ...]

RANKED: Final = 200
"""Matches of each kind that are ranked, the newest; beyond that more words are a better help than more pages."""
_AMPLE: Final = 2
"""How many times as many texts are looked at as should be needed."""
_PART: Final = 8
"""At most one text of so many is looked at first: of words together statistics often expect too few."""
MANY: Final = 10_000
"""Texts of a kind; of fewer, all are looked at."""
_FEW: Final = 2 * RANKED
"""Matches for which all texts are looked at, even if there are ten times as many in the end: it costs less than dates do."""
_COMMON: Final = 10
"""Of so many texts one matches where it is cheaper to open the newest ones than to read where the words are."""
PEOPLE: Final = 50
"""People a part of a name may stand for."""
_NEAR: Final = 5
"""Words that may stand for one that was spelt wrongly."""
_SHOWN: Final = 6_000  # characters of a text that an excerpt is looked for in
_HEADLINE: Final = f"StartSel={START},StopSel={STOP},MaxFragments=2,MaxWords=24,MinWords=8,FragmentDelimiter= … "
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()), column("search_text", Text()))
BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where "the newest" begin when all texts are looked at (`entry_since`, `document_since`)."""
_BEFORE_ALL: Final = literal_column("'1970-01-01 00:00:00+00'::timestamptz", DateTime(timezone=True))
_SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")

# In one go.  The planner knows the words only when it plans each search anew, and believes that opening a long text costs
# nothing: nobody reads all texts from one end to the other here.
BEGIN: Final = (
    "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = off; "
    "SET LOCAL statement_timeout = '2s'; SET LOCAL pg_trgm.similarity_threshold = 0.3"
)


@dataclass(frozen=True)
class Shape:
    """What of a search decides over its statements; everything else is a parameter of them.

    `roles` are those by which documents are seen, `limits` what narrows the search down.
    """

    kinds: tuple[Kind, ...]
    roles: frozenset[str]
    limits: frozenset[str]


@dataclass(frozen=True)
class _Looked:
    """Where is looked, and what a text must be besides holding the words."""

    model: Any
    person: Any
    at: Any
    state: Any
    dates: tuple[ColumnElement[bool], ...]
    where: tuple[ColumnElement[bool], ...]

    @property
    def named(self) -> Select[*tuple[Any, ...]]:
        """Every text there is to look at."""
        model, state = self.model, self.state.label("state")
        return select(model.id, self.at.label("at"), self.person.label("person_id"), state).where(
            *self.dates, *self.where
        )

    def matching(self, words: str = "words") -> ColumnElement[bool]:
        """Whether it holds the words of this parameter, by their index."""
        found: ColumnElement[bool] = self.model.search.op("@@", is_comparison=True)(_query(words))
        return found


def limits_of(asked: SearchQuery) -> frozenset[str]:
    """What narrows this search down."""
    return frozenset(name for name in ("state", "person", "tag", "since", "until") if getattr(asked, name))


def sees_documents(roles: frozenset[str]) -> bool:
    """Whether anybody with these roles may know of documents at all."""
    return not isinstance(seen_with(roles, None), False_)


def parameters(asked: SearchQuery, viewer: UUID | None) -> dict[str, Any]:
    """What narrows this search down, but for the people whom a part of a name stands for; raises Invalid."""
    return {
        "viewer": viewer,
        "state": asked.state,
        "tags": [wanted(asked.tag)] if asked.tag else [],
        "since": _midnight(asked.since) if asked.since else None,
        "until": _end(asked.until) if asked.until else None,
    }


@lru_cache(maxsize=256)
def estimate(shape: Shape) -> Prepared:
    """To be planned only: of each kind the matches, then all there are."""
    parts = []
    for kind in shape.kinds:
        looked = _looked(kind, shape)
        parts += [
            select(looked.model.id).where(looked.matching(), *looked.dates, *looked.where),
            select(looked.model.id),
        ]
    return Prepared(union_all(*parts))


def expected(plan: Mapping[str, Any], kinds: tuple[Kind, ...]) -> dict[Kind, tuple[int, int]]:
    """Matches of each kind, and texts of it, by the plan of `estimate`."""
    rows = [part["Plan Rows"] for part in plan["Plans"]]
    return {kind: (rows[2 * number], rows[2 * number + 1]) for number, kind in enumerate(kinds)}


def way(matches: int, texts: int) -> Way:
    """How so many matches among so many texts are found soonest."""
    if texts <= MANY or matches <= _FEW:
        return "Whole"
    return "Opened" if matches * _COMMON >= texts else "Named"


def enough(matches: int, texts: int) -> int:
    """Among how many of the newest texts is looked first, unless all are."""
    return min(ceil(_AMPLE * RANKED * texts / matches), texts // _PART)


@lru_cache(maxsize=256)
def beginnings(shape: Shape) -> Prepared:
    """The dates of the last of so many newest texts (`entry_enough`, `document_enough`); None where there are fewer."""
    dates = []
    for kind in shape.kinds:
        looked = _looked(kind, shape)
        newest = select(looked.at).where(*looked.dates).order_by(looked.at.desc())
        dates.append(newest.offset(_number(f"{kind}_enough")).limit(_ONE).scalar_subquery().label(kind))
    return Prepared(select(*dates))


@lru_cache(maxsize=256)
def search(shape: Shape, ways: Ways) -> Prepared:
    """The best matches of all kinds, a page of them."""
    looked = {kind: _looked(kind, shape) for kind in shape.kinds}
    first = {kind: _first(kind, looked[kind], way) for kind, way in ways}
    few = sum((_count(first[kind]) for kind, way in ways if way == "Whole"), _NONE) < _RANKED
    latest = {
        kind: _all_if(few, kind, looked[kind], first[kind])
        if way == "Whole"
        else _and_older(kind, looked[kind], first[kind])
        for kind, way in ways
    }
    either = union_all(*[_ranked(kind, chosen) for kind, chosen in latest.items()]).subquery("either")
    page = select(either).order_by(either.c.rank.desc(), either.c.at.desc(), either.c.id)
    best = page.limit(_number("limit")).offset(_number("offset")).cte("best").prefix_with("MATERIALIZED")
    texts = {kind: _text(kind) for kind in shape.kinds}
    title = func.coalesce(*[text.c.title for text in texts.values()])
    body = func.coalesce(*[text.c.body for text in texts.values()])
    shown = literal_column(str(_SHOWN), Integer())
    joined: Any = best
    for kind, text in texts.items():
        joined = joined.outerjoin(text, (text.c.id == best.c.id) & (best.c.kind == _word(kind)))
    return Prepared(
        select(
            best.c.kind,
            best.c.id,
            title.label("title"),
            func.ts_headline(_SIMPLE, func.left(body, shown), _query(), _literal(_HEADLINE), type_=Text()).label(
                "excerpt"
            ),
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
    return Prepared(select(_PEOPLE.c.id).where(within).limit(literal_column(str(PEOPLE), Integer())))


def pattern_of(part: str) -> str:
    """What `people_named` takes: signs of patterns are only signs."""
    return "%" + part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


@cache
def near_words() -> Prepared:
    """Words of titles that look like any of these, with the number of the word: for each those most alike, in any order."""
    given = bindparam("words", type_=ARRAY(Text()))
    words = func.unnest(given).table_valued("word", with_ordinality="number", name="typed").render_derived()
    typed = words.c.word
    near = (
        select(SearchWord.word)
        .where(SearchWord.word.op("%", is_comparison=True)(typed))
        .order_by(func.similarity(SearchWord.word, typed).desc(), SearchWord.word)
        .limit(literal_column(str(_NEAR), Integer()))
        .lateral("near")
    )
    return Prepared(
        select(words.c.number.label("number"), near.c.word.label("word")).select_from(words.join(near, true()))
    )


def _first(kind: Kind, looked: _Looked, way: Way) -> CTE:
    """The newest matches where they are looked for first."""
    if way == "Whole":
        found = looked.named.where(looked.matching("whole")).order_by(looked.at.desc())
    elif way == "Opened":
        # A function instead of its operator: whichever index leads through the newest texts, it is not that of the words.
        holding = func.ts_match_vq(looked.model.search, _query(), type_=Boolean())
        found = looked.named.where(looked.at >= _since(kind), holding).order_by(looked.at.desc())
    else:
        # Apart from the rest, so that the words are looked up in their index and nobody walks through all texts by date.
        recent = looked.named.where(looked.at >= _since(kind), looked.matching())
        apart = recent.cte(f"{kind}_recent").prefix_with("MATERIALIZED")
        found = select(apart).order_by(apart.c.at.desc())
    return found.limit(_RANKED).cte(f"{kind}_first").prefix_with("MATERIALIZED")


def _and_older(kind: Kind, looked: _Looked, first: CTE) -> CTE:
    """The newest matches: what was found first and, if that is too little, older ones."""
    # Two indexes that could both take the date would never be met with each other; most texts are older anyway.
    older = looked.named.where((looked.at < _since(kind)).is_(true()), looked.matching())
    # Where all were looked at there is none older; the words are not looked up a second time to find that out.
    rest = older.where(_since(kind) > _BEFORE_ALL, _count(first) < _RANKED)
    return _newest(kind, select(first), rest.cte(f"{kind}_rest").prefix_with("MATERIALIZED"))


def _all_if(few: ColumnElement[bool], kind: Kind, looked: _Looked, first: CTE) -> CTE:
    """The newest matches: what was found first or, if that is too little, whatever begins with the words as well."""
    again = (_words("words") != _words("whole")) & few  # known when it is planned: whole words are not looked up twice
    rest = looked.named.where(looked.matching(), again)
    return _newest(kind, select(first).where(~again), rest.cte(f"{kind}_rest").prefix_with("MATERIALIZED"))


def _newest(kind: Kind, first: Select[*tuple[Any, ...]], rest: CTE) -> CTE:
    both = union_all(first, select(rest)).subquery()
    newest = select(both).order_by(both.c.at.desc()).limit(_RANKED)
    return newest.cte(f"{kind}_newest").prefix_with("MATERIALIZED")


def _since(kind: Kind) -> ColumnElement[datetime]:
    """Where "the newest" begin."""
    since: ColumnElement[datetime] = bindparam(f"{kind}_since", type_=DateTime(timezone=True))
    return since


def _count(found: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(found).scalar_subquery()


def _ranked(kind: Kind, latest: CTE) -> Select[*tuple[Any, ...]]:
    model: Any = Entry if kind == "entry" else Document
    rank = func.ts_rank_cd(model.search, _query(), _ONE).label("rank")
    return select(_word(kind).label("kind"), latest, rank).join(model, model.id == latest.c.id)


def _looked(kind: Kind, shape: Shape) -> _Looked:
    if kind == "entry":
        dates, where = _narrowed(shape, Entry, Entry.published_at)
        where.append(Entry.withdrawn_at.is_(None))
        if "person" in shape.limits:
            where.append(Entry.author_id == func.any(_people()))
        nothing = literal_column("NULL::text", Text())
        return _Looked(Entry, Entry.author_id, Entry.published_at, nothing, tuple(dates), tuple(where))
    dates, where = _narrowed(shape, Document, Document.updated_at)
    where.append(seen_with(shape.roles, bindparam("viewer", type_=Uuid())))
    if "state" in shape.limits:
        where.append(Document.state == bindparam("state", type_=Text()))
    if "person" in shape.limits:
        theirs = (Document.sponsor_id == func.any(_people())) & Document.editor_id.is_(None)
        where.append(or_(Document.editor_id == func.any(_people()), theirs))
    person = func.coalesce(Document.editor_id, Document.sponsor_id)
    return _Looked(Document, person, Document.updated_at, Document.state, tuple(dates), tuple(where))


def _narrowed(shape: Shape, model: Any, at: Any) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    moment = DateTime(timezone=True)
    dates = []
    if "since" in shape.limits:
        dates.append(at >= bindparam("since", type_=moment))
    if "until" in shape.limits:
        dates.append(at <= bindparam("until", type_=moment))
    tagged = [model.tags.contains(bindparam("tags", type_=ARRAY(Text())))] if "tag" in shape.limits else []
    return dates, tagged


def _text(kind: Kind) -> NamedFromClause:
    held = Entry.__table__ if kind == "entry" else Document.__table__
    return held.alias(f"{kind}_text")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _end(day: date) -> datetime:
    """The last moment of a day, to the microsecond, as PostgreSQL counts; the calendar's last day has no next one."""
    return datetime.combine(day, time.max, UTC)


def _words(name: str) -> ColumnElement[str]:
    given: ColumnElement[str] = bindparam(name, type_=Text())
    return given


def _query(words: str = "words") -> ColumnElement[Any]:
    made: ColumnElement[Any] = func.to_tsquery(_SIMPLE, _words(words))
    return made


def _people() -> ColumnElement[Any]:
    return bindparam("people", type_=ARRAY(Uuid()))


def _number(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=Integer())


def _word(kind: Kind) -> ColumnElement[str]:
    return literal_column(f"'{kind}'::text", Text())


def _literal(constant: str) -> ColumnElement[str]:
    return literal_column("'" + constant.replace("'", "''") + "'", Text())


_NONE: Final = literal_column("0", Integer())
_ONE: Final = literal_column("1", Integer())
_RANKED: Final = literal_column(str(RANKED), Integer())
