"""What goes out about budgets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class BudgetView(msgspec.Struct, frozen=True):
    """How much of something dear somebody may have until `resets_at`."""

    name: str
    limit: int
    used: int
    remaining: int
    resets_at: datetime


class BudgetList(msgspec.Struct, frozen=True):
    """All budgets of the caller."""

    items: list[BudgetView]


class UsedQuota(msgspec.Struct, frozen=True):
    """What somebody used of a budget today."""

    name: str
    person_id: UUID
    display_name: str
    used: int


class Quotas(msgspec.Struct, frozen=True):
    """How much each role may have in a day, and what people used today, the most first."""

    limits: dict[str, int]
    people: list[UsedQuota]
