"""What only a command on the server does to accounts: finding them by address and giving them another password."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import SYSTEM
from app.accounts import queries
from app.accounts.models import Person
from app.accounts.service.applications import email_key
from app.audit import service as audit
from app.errors import NotFound
from app.ids import now
from app.rights.notices import announce


async def person_with(db: AsyncConnection | AsyncSession, email: str) -> UUID:
    """The id of the person with this address; raises NotFound."""
    row = (await db.execute(queries.CREDENTIALS_BY_EMAIL, {"email_key": email_key(email)})).first()
    if row is None:
        raise NotFound(f"nobody has an account under {email}")
    found: UUID = row.id
    return found


async def set_password(db: AsyncSession, email: str, password_hash: str) -> None:
    """Give a person another password and end whatever they are signed in with; raises NotFound."""
    person_id = await person_with(db, email)
    await db.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(password_hash=password_hash, epoch=Person.epoch + 1, updated_at=now())
    )
    await announce(db, [person_id])
    await audit.record(db, SYSTEM, "account.password_set", ("person", person_id))
