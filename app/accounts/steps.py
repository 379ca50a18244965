"""The steps a browser session has passed, kept in its row: they end with the session and cannot be put back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.accounts import queries
from app.accounts.models import Session
from app.database import Database
from app.ids import now
from app.web.steps import STEP_LIFE


class SessionSteps:
    """`app.web.steps.Steps` over the sessions of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, session_id: UUID, name: str, said: dict[str, Any]) -> None:
        """Note that the session passed the step; what was said then replaces what was said before."""
        passed = {name: {"at": now().isoformat(), "said": said}}
        async with self._database.transaction() as db:
            await db.execute(
                update(Session).where(Session.id == session_id).values(steps=Session.steps.op("||")(passed))
            )

    async def passed(self, session_id: UUID, name: str) -> dict[str, Any] | None:
        """What was said in the step, or None when it was not passed, or too long ago."""
        async with self._database.read() as db:
            steps = await db.scalar(queries.STEPS_OF_SESSION, {"session_id": session_id})
        return _said(steps, name)

    async def take(self, session_id: UUID, name: str) -> dict[str, Any] | None:
        """The same, and it is passed no longer."""
        async with self._database.transaction() as db:
            steps = await db.scalar(queries.STEPS_OF_SESSION.with_for_update(), {"session_id": session_id})
            if steps and name in steps:
                left = {key: value for key, value in steps.items() if key != name}
                await db.execute(update(Session).where(Session.id == session_id).values(steps=left))
        return _said(steps, name)


def _said(steps: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    step = (steps or {}).get(name)
    if step is None or datetime.fromisoformat(step["at"]) + timedelta(seconds=STEP_LIFE) <= now():
        return None
    said: dict[str, Any] = step["said"]
    return said
