"""Statements written once and run many times: built, compiled and described once, then run on the driver itself.

On a `Reader` such a statement goes straight to asyncpg, which keeps it prepared; anywhere else, as in a transaction,
SQLAlchemy runs the very same statement.  Both give rows with the same values by the same names and in the same order
(`tests/test_prepared.py` compares them), so nobody needs to know which it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ARRAY, CompoundSelect, Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.types import TypeEngine

from app.reader import NamedRow, Reader

_DIALECT: Dialect = dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # as the library has it
Values = Mapping[str, Any]


class Prepared:
    """One SELECT with named parameters, all of them given at each run.

    It takes only types that need no work in Python on their way to the driver and back, and no lists of unknown length
    (use `= ANY(:array)`); anything else is refused when the statement is first used.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]) -> None:
        self.statement = statement

    async def first(self, db: AsyncConnection | AsyncSession, values: Values) -> Any | None:
        """The first row, or None when there is none."""
        if isinstance(db, Reader):
            sql, names = self._compiled
            return await db.driver.fetchrow(sql, *[values[name] for name in names], record_class=NamedRow)
        return (await db.execute(self.statement, values)).first()

    async def all(self, db: AsyncConnection | AsyncSession, values: Values) -> Sequence[Any]:
        """All rows."""
        if isinstance(db, Reader):
            sql, names = self._compiled
            rows: list[NamedRow] = await db.driver.fetch(sql, *[values[name] for name in names], record_class=NamedRow)
            return rows
        return (await db.execute(self.statement, values)).all()

    async def expected(self, db: Reader, values: Values) -> Any:
        """The plan PostgreSQL would follow, with the numbers of rows it expects; nothing of it is run."""
        sql, names = self._compiled
        plan = await db.driver.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *[values[name] for name in names])
        return plan[0]["Plan"]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        """The text for the driver, and the names of its parameters by their position."""
        compiled = self.statement.compile(dialect=_DIALECT)
        names = compiled.positiontup or []
        if compiled.literal_execute_params or compiled.post_compile_params:
            raise TypeError("a prepared statement has a fixed number of parameters")
        for column in self.statement.exported_columns:
            if _local(_each(column.type)).result_processor(_DIALECT, None) is not None:
                raise TypeError(f"{column.key}: the driver alone does not give this type")
        for name in names:
            bound = compiled.binds[name]
            if bound.required is False:
                raise TypeError(f"{name}: a value within the statement would be the same for everybody")
            if _local(_each(bound.type)).bind_processor(_DIALECT) is not None:
                raise TypeError(f"{name}: the driver alone does not take this type")
        return compiled.string, tuple(names)


def _each(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type itself, and of an array the type of what is in it: the driver gives arrays as lists already."""
    return kind.item_type if isinstance(kind, ARRAY) else kind


def _local(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.dialect_impl(_DIALECT)
