"""Writing down what was decided about an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.access import Actor
from app.accounts.models import AccountChange
from app.ids import new_id


def change(
    person_id: UUID,
    actor: Actor,
    from_status: str | None,
    to_status: str,
    from_roles: Sequence[str] | None,
    to_roles: Sequence[str],
    *,
    moment: datetime,
    reason: str = "",
    message: str = "",
    until: datetime | None = None,
) -> AccountChange:
    """The row of one decision; `from_` is None for how it began."""
    return AccountChange(
        id=new_id(),
        person_id=person_id,
        at=moment,
        actor_id=actor.id,
        actor_name=actor.display_name,
        from_status=from_status,
        to_status=to_status,
        from_roles=None if from_roles is None else list(from_roles),
        to_roles=list(to_roles),
        reason=reason,
        message=message,
        until=until,
    )
