"""Recording what happened, in the caller's own transaction, and reading it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import queries
from app.audit.models import AuditEvent
from app.ids import new_id, now

_INSERT = insert(AuditEvent)


async def record(
    db: AsyncSession,
    actor: Actor,
    kind: str,
    target: tuple[str, UUID | str],
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one event: `kind` such as "document.published", `target` as (type, id).

    It stands or falls with the transaction `db`; details must be JSON values and never hold a secret.
    """
    await db.execute(
        _INSERT,
        {
            "id": new_id(),
            "at": now(),
            "kind": kind,
            "actor_id": actor.id,
            "actor_name": actor.display_name,
            "actor_via": actor.auth_type or "visitor",
            "target_type": target[0],
            "target_id": str(target[1]),
            "address": actor.address,
            "request_id": actor.request_id,
            "details": dict(details or {}),
        },
    )


async def events(
    db: AsyncConnection,
    *,
    kind: str = "",
    actor_id: UUID | None = None,
    target_id: str = "",
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Any]:
    """Events, newest first."""
    statement = queries.events(kind=kind, actor_id=actor_id, target_id=target_id, after=after, limit=limit)
    return list((await db.execute(statement)).all())
