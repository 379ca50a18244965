"""Acting for a person who is not the caller: the owner of a client, or whoever agreed to one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.accounts import queries
from app.rights.actors import actor_of
from app.rights.facts import person_facts


async def actor(db: AsyncConnection | AsyncSession, person_id: UUID, caller: Actor) -> Actor | None:
    """The person as an actor in the request that `caller` describes; None when there is no such person."""
    row = (await db.execute(queries.PERSON_BY_ID, {"person_id": person_id})).first()
    if row is None:
        return None
    facts = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return actor_of(facts, caller, auth_type="oauth")
