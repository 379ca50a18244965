"""Recording what happened, in the caller's own transaction, reading it back, and erasing what is personal in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.audit import queries
from app.audit.chain import SALT, check_plain, personal_digest
from app.audit.models import AuditEvent
from app.audit.queries import After, Filters
from app.errors import Unavailable
from app.ids import new_id, now

# Details by which somebody can be known, or that are written about somebody in free words: kept where erasure reaches.
PERSONAL = frozenset({"device", "address", "email", "name", "display_name", "reason", "message", "note"})

# No right, no space or memory left, no working disk: the trail is closed, whatever the reason.
_REFUSED = ("42501", "53", "58")

_INSERT = insert(AuditEvent)


async def record(
    db: AsyncSession,
    actor: Actor,
    kind: str,
    target: tuple[str, UUID | str],
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one event: `kind` such as "document.published", `target` as (type, id).

    It stands or falls with the transaction `db`; raises Unavailable when the database takes no more events, and then
    nothing must be done.  Details are text, whole numbers, truth values, lists and mappings
    (TypeError otherwise) and never hold a secret; those named in PERSONAL can be erased later.
    """
    given = {} if details is None else details
    check_plain(given)
    personal = {name: value for name, value in given.items() if name in PERSONAL} or None
    salt = os.urandom(SALT)
    try:
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
                "details": {name: value for name, value in given.items() if name not in PERSONAL},
                "personal": personal,
                "salt": salt,
                "personal_digest": personal_digest(salt, actor.display_name, actor.address, personal),
            },
        )
    except DBAPIError as error:
        if str(getattr(error.orig, "sqlstate", None) or "").startswith(_REFUSED):
            raise Unavailable("This cannot be recorded now, so it was not done", code="not_recorded") from error
        raise


async def events(db: AsyncConnection, filters: Filters, *, after: After | None = None, limit: int = 50) -> list[Any]:
    """Events that pass the filters, newest first; `after` is the key of the last row of the page before."""
    return list((await db.execute(queries.events(filters, after=after, limit=limit))).all())


async def record_export(db: AsyncSession, actor: Actor, filters: Filters, form: str) -> None:
    """Note that somebody carries events off as a file: what is in it is about everybody."""
    asked = {name: str(value) for name, value in asdict(filters).items() if value}
    await record(db, actor, "audit.exported", ("trail", form), asked)


async def history(db: AsyncConnection, person_id: UUID, *, after: After | None = None, limit: int = 50) -> list[Any]:
    """What a person did, and what happened to them, their sessions and their tokens; newest first."""
    return list((await db.execute(queries.history(person_id, after=after, limit=limit))).all())


async def erase_person(db: AsyncSession, actor: Actor, person_id: UUID) -> int:
    """Blank name, address and personal details in every event by or about a person; returns how many.

    The chain stays valid, and the erasure is an event itself.
    """
    await record(db, actor, "audit.person_erased", ("person", person_id))
    return await db.scalar(select(func.erase_audit_person(person_id))) or 0


async def erase_before(db: AsyncSession, actor: Actor, moment: datetime, *, at_most: int = 10_000) -> int:
    """Blank what is personal in events older than `moment` (whole seconds), the oldest first; returns how many.

    For retention: call it in transactions of its own until it returns less than `at_most`.
    """
    seconds = int(moment.timestamp())
    await record(db, actor, "audit.aged", ("moment", str(seconds)))
    return await db.scalar(select(func.erase_audit_before(seconds, at_most))) or 0
