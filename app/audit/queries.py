"""Statements that read the trail; built here, run by the service."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, tuple_

from app.audit.models import AuditEvent


def events(
    *, kind: str, actor_id: UUID | None, target_id: str, after: tuple[datetime, UUID] | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """Events, newest first, filtered; `after` is the key of the last row of the page before."""
    statement = (
        select(
            AuditEvent.id,
            AuditEvent.at,
            AuditEvent.kind,
            AuditEvent.actor_id,
            AuditEvent.actor_name,
            AuditEvent.actor_via,
            AuditEvent.target_type,
            AuditEvent.target_id,
            AuditEvent.address,
            AuditEvent.request_id,
            AuditEvent.details,
        )
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(limit)
    )
    if kind:
        statement = statement.where(AuditEvent.kind.startswith(kind, autoescape=True))
    if actor_id:
        statement = statement.where(AuditEvent.actor_id == actor_id)
    if target_id:
        statement = statement.where(AuditEvent.target_id == target_id)
    if after:
        statement = statement.where(tuple_(AuditEvent.at, AuditEvent.id) < after)
    return statement
