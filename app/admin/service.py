"""What the administration counts and shows; decisions are made by the features' own services."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.accounts import service as accounts
from app.accounts.schemas import ChangeView, PersonView
from app.admin.schemas import AuditView, PersonDetail
from app.documents import service as documents
from app.journal import service as journal


async def overview(db: AsyncConnection, actor: Actor) -> dict[str, int]:
    """How much of everything there is."""
    people = await accounts.counts(db)
    return {
        "pending": people.get("pending", 0),
        "people": sum(people.values()),
        "documents": sum((await documents.counts(db, actor, part=None)).values()),
        "entries": await journal.count(db),
    }


def person_view(row: Any) -> PersonView:
    """A person as administrators see them."""
    return PersonView(
        row.id, row.email, row.display_name, list(row.roles), row.status, row.status_until, row.created_at
    )


def change_view(row: Any) -> ChangeView:
    """A decision as administrators see it."""
    return ChangeView(
        row.at,
        row.actor_name,
        row.from_status,
        row.to_status,
        row.from_roles,
        row.to_roles,
        row.reason,
        row.message,
        row.until,
    )


def person_detail(row: Any, history: list[Any]) -> PersonDetail:
    """A person with their history."""
    return PersonDetail(
        row.id,
        row.email,
        row.display_name,
        list(row.roles),
        row.status,
        row.status_until,
        row.created_at,
        status_since=row.status_since,
        status_message=row.status_message,
        history=[change_view(change) for change in history],
    )


def audit_view(row: Any) -> AuditView:
    """An event as administrators see it."""
    return AuditView(
        row.id,
        row.at,
        row.kind,
        row.actor_id,
        row.actor_name,
        row.actor_via,
        row.target_type,
        row.target_id,
        row.address,
        row.request_id,
        row.details,
    )
