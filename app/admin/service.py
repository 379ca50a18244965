"""The audit trail as administrators see it."""

from __future__ import annotations

from typing import Any

from app.admin.schemas import AuditView


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
