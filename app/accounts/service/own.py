"""What people change about their own account: their name and their password."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.accounts import queries
from app.accounts.models import Person
from app.audit import service as audit
from app.ids import now
from app.rights.facts import password_name
from app.rights.notices import announce


async def rename(db: AsyncSession, actor: Actor, display_name: str) -> None:
    """Give the actor another name; every worker forgets the one it knew."""
    person_id = actor.person_id()
    await db.execute(update(Person).where(Person.id == person_id).values(display_name=display_name, updated_at=now()))
    await announce(db, [person_id])
    await audit.record(db, actor, "account.renamed", ("person", person_id))


async def change_password(db: AsyncSession, actor: Actor, password_hash: str) -> None:
    """Give the actor another password and end their other browser sessions (ASVS 7.4.3).

    Workers forget the old one as well, which they remember for a minute where it came over HTTP Basic.
    """
    person_id = actor.person_id()
    await db.execute(update(Person).where(Person.id == person_id).values(password_hash=password_hash, updated_at=now()))
    ended = (await db.scalars(queries.end_sessions(person_id, but=actor.session_id))).all()
    await announce(db, [password_name(person_id), *ended])
    await audit.record(db, actor, "account.password_changed", ("person", person_id), {"sessions": len(ended)})
