"""The life of an account as one table: every step from one status to another, and who takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["pending", "active", "declined", "suspended"]
Taker = Literal["administrator", "applicant", "time"]
STATUSES: Final[tuple[Status, ...]] = ("pending", "active", "declined", "suspended")


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` to `target`; `done` is the word for it in sentences and in the trail (`account.<done>`)."""

    start: Status
    target: Status
    done: str
    taker: Taker = "administrator"

    @property
    def ends_rights(self) -> bool:
        """Whether everything the person is signed in with ends by it."""
        return self.start == "active"


STEPS: Final[Mapping[str, Step]] = {
    "approve": Step("pending", "active", "approved"),
    "decline": Step("pending", "declined", "declined"),
    "suspend": Step("active", "suspended", "suspended"),
    "reinstate": Step("suspended", "active", "reinstated"),
    "lapse": Step("suspended", "active", "suspension_ended", "time"),
    "apply": Step("declined", "pending", "applied_again", "applicant"),
}
DECISIONS: Final[Mapping[str, Step]] = {verb: step for verb, step in STEPS.items() if step.taker == "administrator"}
ENTRANCES: Final[frozenset[Status]] = frozenset({"pending", "active"})  # how an account may begin


def decisions_from(status: str) -> list[str]:
    """What an administrator can decide about somebody in this status."""
    return [verb for verb, step in DECISIONS.items() if step.start == status]
