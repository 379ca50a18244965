"""What goes out about budgets."""

from __future__ import annotations

from datetime import datetime

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
