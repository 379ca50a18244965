"""Which steps somebody has passed in their session, for pages that may only come after another one."""

from __future__ import annotations

from typing import Any, Final, Protocol
from uuid import UUID

from app.errors import Conflict
from app.web.context import current_actor, extension

STEP_LIFE: Final = 900.0  # seconds after which a step that was passed and not used must be passed again


class Steps(Protocol):
    """Keeps the steps of sessions; they end with the session."""

    async def keep(self, session_id: UUID, name: str, said: dict[str, Any]) -> None:
        """This session has passed the step `name`, in which `said` was said; it replaces an earlier passing."""
        ...

    async def passed(self, session_id: UUID, name: str) -> dict[str, Any] | None:
        """What was said in the step, or None when it was not passed within the last `STEP_LIFE` seconds."""
        ...

    async def take(self, session_id: UUID, name: str) -> dict[str, Any] | None:
        """The same, and the step is used up: of requests released together only one gets it."""
        ...


class StepMissing(Conflict):
    """The page comes after another one, which was not passed in this session; `begin` is where to start."""

    code = "step_missing"
    title = "One step before this one"

    def __init__(self, begin: str) -> None:
        super().__init__("Start from the beginning; this page comes after another one.")
        self.begin = begin


async def pass_step(name: str, **said: Any) -> None:
    """Note that the caller's browser session has passed this step; `said` (JSON values) waits there for the next."""
    session_id = current_actor().session_id
    if session_id is not None:
        await _steps().keep(session_id, name, said)


async def step_passed(name: str, begin: str) -> dict[str, Any]:
    """What was said in the step; raises StepMissing when it was not passed."""
    session_id = current_actor().session_id
    said = await _steps().passed(session_id, name) if session_id is not None else None
    if said is None:
        raise StepMissing(begin)
    return said


async def step_taken(name: str, begin: str) -> dict[str, Any]:
    """Use the step up and return what was said in it; raises StepMissing when somebody was faster."""
    session_id = current_actor().session_id
    said = await _steps().take(session_id, name) if session_id is not None else None
    if said is None:
        raise StepMissing(begin)
    return said


def _steps() -> Steps:
    return extension(Steps)  # type: ignore[type-abstract]  # registered under the protocol's name
