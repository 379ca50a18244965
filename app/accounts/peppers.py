"""Which pepper versions passwords still stand under; one without any is the only kind that may ever go."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import Person

_VERSION = func.split_part(Person.password_hash, "$", 1)
_BY_VERSION = select(_VERSION, func.count()).group_by(_VERSION)


async def passwords_by_pepper(db: AsyncConnection) -> dict[str, int]:
    """How many passwords are hashed under each version of the pepper."""
    return {str(version): int(count) for version, count in (await db.execute(_BY_VERSION)).all()}
