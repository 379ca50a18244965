"""The audit trail as administrators see it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

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


def ids_among(texts: Iterable[str]) -> list[UUID]:
    """Those of these texts that are ids; who did something, or whom it was done to, may also be told by a word."""
    found = set()
    for text in texts:
        with suppress(ValueError):
            found.add(UUID(text))
    return sorted(found)
