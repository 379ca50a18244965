"""Decisions of administrators with their effect: what stood when rights ended, and that every worker has heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.accounts import service as accounts
from app.accounts import sessions
from app.accounts.service import Decided, Decision
from app.admin.schemas import Confirmed, Ended
from app.mail.service import Postbox
from app.rights.confirmations import Heard, RollCall
from app.settings import Settings
from app.tokens import standing


@dataclass(frozen=True)
class Act:
    """What was decided and what ended by it."""

    decided: Decided
    ended: Ended


async def decide(
    db: AsyncSession, settings: Settings, postbox: Postbox, actor: Actor, person_id: UUID, decision: Decision
) -> Act:
    """Decide as `accounts.decide` does, count what ended, and write to the person."""
    decided = await accounts.decide(db, actor, person_id, decision)
    await postbox.put(db, decision.verb, accounts.told(decided, decision))
    return await _counted(db, settings, decided)


async def change_roles(
    db: AsyncSession,
    settings: Settings,
    actor: Actor,
    person_id: UUID,
    roles: Sequence[str],
    reason: str,
    *,
    seen: Sequence[str] | None = None,
) -> Act:
    """Change roles as `accounts.change_roles` does, and count what ended."""
    decided = await accounts.change_roles(db, actor, person_id, roles, reason, seen=seen)
    return await _counted(db, settings, decided)


async def end_everything(db: AsyncSession, settings: Settings, actor: Actor, person_id: UUID, reason: str) -> Act:
    """End all sessions, sign-ins of programs and keys of a person, and count them."""
    return await _counted(db, settings, await accounts.end_everything(db, actor, person_id, reason))


async def _counted(db: AsyncSession, settings: Settings, decided: Decided) -> Act:
    """Count, in the transaction that voided them, the credentials that were good until now."""
    epoch, person_id = decided.ended_epoch, decided.person_id
    if epoch is None:
        return Act(decided, Ended())
    ended = Ended(
        sessions=await sessions.count(db, settings, person_id, epoch),
        grants=await standing.count_sign_ins(db, person_id, epoch),
        keys=await standing.count_keys(db, person_id, epoch),
    )
    return Act(decided, ended)


async def heard(roll_call: RollCall, nonce: str) -> Heard | None:
    """Wait at most a second, from now (the commit), for the workers to confirm; None when there is nothing to hear."""
    return await roll_call.wait_for(nonce, monotonic()) if nonce else None


def confirmed(found: Heard | None) -> Confirmed | None:
    """The same for programs."""
    if found is None:
        return None
    return Confirmed(found.workers, found.confirmed, max(1, round(found.seconds * 1000)))


def sentence(first: str, ended: Ended | None, found: Heard | None) -> str:
    """What happened in one line: "Sam is suspended. Ended: 4 sessions. All 2 workers confirmed within 12 ms." """
    parts = [first]
    if found is not None and ended is not None:
        parts.append(ended_words(ended))
    if found is not None:
        parts.append(found.words)
    return " ".join(parts)


def ended_words(ended: Ended) -> str:
    """ "Ended: 4 sessions, 1 sign-in of a program." """
    counted = [
        _number(ended.sessions, "session", "sessions"),
        _number(ended.grants, "sign-in of a program", "sign-ins of programs"),
        _number(ended.keys, "API key", "API keys"),
    ]
    named = ", ".join(part for part in counted if part)
    return f"Ended: {named}." if named else "There was nothing open to end."


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else ""
