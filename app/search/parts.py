"""Small parts of statements that find texts."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Integer, Text, bindparam, func, literal_column, select

SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")
"""Words as they are written, of any language."""


def words(name: str) -> ColumnElement[str]:
    """Words as `wording` writes them for PostgreSQL: `words`, `whole` or `any`."""
    given: ColumnElement[str] = bindparam(name, type_=Text())
    return given


def query(name: str) -> ColumnElement[Any]:
    """What is looked for, as PostgreSQL understands it."""
    made: ColumnElement[Any] = func.to_tsquery(SIMPLE, words(name))
    return made


def number(name: str) -> ColumnElement[int]:
    """A number that is given with each search."""
    return bindparam(name, type_=Integer())


def integer(constant: int) -> ColumnElement[int]:
    """A number that is part of the statement."""
    return literal_column(str(constant), Integer())


def literal(constant: str) -> ColumnElement[str]:
    """A text of ours that is part of the statement."""
    return literal_column("'" + constant.replace("'", "''") + "'", Text())


def count(found: CTE) -> ColumnElement[int]:
    """How many were found."""
    return select(func.count()).select_from(found).scalar_subquery()
