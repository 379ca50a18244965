"""The browsers an account was signed in to from: known by the hash of a mark (`app.web.device_cookie`), no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.accounts.models import KnownDevice, Person
from app.ids import now

MOST: Final = 20
KEPT: Final = timedelta(days=400)


async def knows(db: AsyncConnection, email_key: str, mark: bytes) -> bool:
    """Whether the account with this address was signed in to from the browser with this mark."""
    found = select(KnownDevice.person_id).join(Person, Person.id == KnownDevice.person_id)
    found = found.where(Person.email_key == email_key, KnownDevice.mark == mark)
    return await db.scalar(found) is not None


async def remember(db: AsyncSession, person_id: UUID, mark: bytes) -> bool:
    """Note a sign-in from this browser; true when it is a new one for an account that has others.

    Only the latest are kept: a browser that throws its cookies away each time must not fill the table.
    """
    mine = KnownDevice.person_id == person_id
    marks = set((await db.scalars(select(KnownDevice.mark).where(mine))).all())
    moment = now()
    statement = insert(KnownDevice).values(person_id=person_id, mark=mark, first_at=moment, last_at=moment)
    await db.execute(statement.on_conflict_do_update(index_elements=["person_id", "mark"], set_={"last_at": moment}))
    latest = select(KnownDevice.mark).where(mine).order_by(KnownDevice.last_at.desc()).limit(MOST)
    if len(marks) >= MOST:
        await db.execute(delete(KnownDevice).where(mine, KnownDevice.mark.not_in(latest)))
    return bool(marks) and mark not in marks


async def forget_old(db: AsyncSession, /) -> None:
    """Forget browsers nobody came back with."""
    await db.execute(delete(KnownDevice).where(KnownDevice.last_at < now() - KEPT))


async def count(db: AsyncConnection, person_id: UUID) -> int:
    """How many browsers are known of an account."""
    return await db.scalar(select(func.count()).where(KnownDevice.person_id == person_id)) or 0
