"""What is decided about accounts: status by the table of `app.accounts.life`, roles, and ending all that is open.

Every change locks the person first and looks again, so of contradictory decisions the first one stands and each of the
others is told what it met.  The order of locks is always person, then `ADMINS`, so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import ADMIN, ROLES, SYSTEM, Actor
from app.accounts import queries
from app.accounts.life import DECISIONS, STEPS, Status, Step
from app.accounts.models import Person
from app.accounts.service.records import change
from app.audit import service as audit
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.ids import now
from app.mail.envelope import Content
from app.rights.notices import announce


@dataclass(frozen=True)
class Decision:
    """What an administrator decides about a person: the verb, why (staff only), what to tell them, until when."""

    verb: str
    reason: str
    message: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Decided:
    """What came of a decision.

    When rights ended, the credentials of `ended_epoch` are void, and under `nonce` the workers confirm to have heard.
    """

    person_id: UUID
    email: str
    display_name: str
    status: Status
    roles: tuple[str, ...]
    nonce: str = ""
    ended_epoch: int | None = None


def check_decision(decision: Decision) -> None:
    """Raise Invalid for an end that does not belong to the decision, has no zone or has passed."""
    until = decision.until
    if until is None:
        return
    if DECISIONS[decision.verb].target != "suspended":
        raise Invalid({"until": ["Only a suspension has an end."]})
    if until.tzinfo is None:
        raise Invalid({"until": ["Say which zone is meant, as in 2026-01-31T12:00:00Z."]})
    if until <= now():
        raise Invalid({"until": ["Choose a moment in the future."]})


async def decide(db: AsyncSession, actor: Actor, person_id: UUID, decision: Decision) -> Decided:
    """Approve, decline, suspend or reinstate.  Rights that shrink end every credential of the person at once.

    Raises Conflict (`status_changed`) when the person is no longer in the status the decision starts from, Forbidden
    for oneself, for the last active administrator, and for an administrator who was one no longer when it came to it.
    """
    step = DECISIONS[decision.verb]
    check_decision(decision)
    person = await _locked(db, person_id)
    moment = now()
    if _is_over(person, moment):
        await _take(db, SYSTEM, person, STEPS["lapse"], moment)
    if step.ends_rights:
        await _keep_one_admin(db, person)
    if person.id == actor.id:
        raise Forbidden("Nobody decides about their own account.", code="own_account")
    if person.status != step.start:
        raise Conflict(f"This account is {person.status}, so it cannot be {step.done}.", code="status_changed")
    await _check_standing(db, actor)
    return await _take(db, actor, person, step, moment, decision)


def told(decided: Decided, decision: Decision) -> Content:
    """What a letter about the decision says to the person: their message and the end, never the reason for staff."""
    until = decision.until.astimezone(UTC).strftime("%d %B %Y, %H:%M UTC") if decision.until else ""
    return Content(decided.email, decided.display_name, {"message": decision.message, "until": until})


async def change_roles(
    db: AsyncSession,
    actor: Actor,
    person_id: UUID,
    roles: Sequence[str],
    reason: str,
    *,
    seen: Sequence[str] | None = None,
) -> Decided:
    """Give a person exactly these roles; every credential they hold ends, so the new rights are the only ones.

    With `seen`, the roles the administrator had before their eyes, raises Conflict when they are others by now.
    """
    wanted = sorted(set(roles), key=ROLES.index)
    if not wanted:
        raise Invalid({"roles": ["A person needs at least one role."]})
    person = await _locked(db, person_id)
    before, moment = list(person.roles), now()
    if ADMIN not in wanted:
        await _keep_one_admin(db, person)
    if person.id == actor.id:
        raise Forbidden("Nobody changes their own roles.", code="own_account")
    if seen is not None and set(seen) != set(before):
        raise Conflict(f"The roles are {_listed(before)} by now. Look at them again.", code="roles_changed")
    await _check_standing(db, actor)
    if before == wanted:
        return _decided(person)
    db.add(change(person.id, actor, person.status, person.status, before, wanted, moment=moment, reason=reason))
    person.roles = wanted
    ended = await _end_credentials(db, person, moment)
    details = {"from": before, "to": wanted, "reason": reason}
    await audit.record(db, actor, "account.roles_changed", ("person", person.id), details)
    return ended


async def end_everything(db: AsyncSession, actor: Actor, person_id: UUID, reason: str = "") -> Decided:
    """End whatever a person is signed in with, everywhere and at once; their status stays, they may sign in again."""
    person = await _locked(db, person_id)
    ended = await _end_credentials(db, person, now())
    await audit.record(db, actor, "account.sessions_ended", ("person", person.id), {"reason": reason})
    return ended


async def end_suspensions(db: AsyncSession) -> int:
    """Make active again those whose suspension is over; returns how many.

    Rows another worker has in hand are passed over, so every worker may do this and each suspension ends once.
    """
    moment = now()
    due = (await db.scalars(queries.suspensions_over(moment))).all()
    for person in due:
        await _take(db, SYSTEM, person, STEPS["lapse"], moment)
    return len(due)


async def _locked(db: AsyncSession, person_id: UUID) -> Person:
    person = await db.scalar(queries.person_for_update(person_id))
    if person is None:
        raise NotFound
    return person


async def _keep_one_admin(db: AsyncSession, person: Person) -> None:
    """Refuse to take the last active administrator away.  Those who take one away go one after the other, so two
    administrators who suspend each other at the same moment cannot both succeed."""
    if ADMIN not in person.roles or person.status != "active":
        return
    await db.execute(queries.LOCK_ADMINS)
    if not await db.scalar(queries.another_active_admin(person.id)):
        raise Forbidden("The last active administrator cannot be taken away.", code="last_admin")


async def _check_standing(db: AsyncSession, actor: Actor) -> None:
    """Refuse an administrator whose own right ended after this request began: its guard could not know."""
    if actor.id is not None and await db.scalar(queries.is_active_with_role(actor.id, ADMIN)) is None:
        raise Forbidden("You are not an administrator any longer.", code="not_admin_now")


def _is_over(person: Person, moment: datetime) -> bool:
    return person.status == "suspended" and person.status_until is not None and person.status_until <= moment


async def _take(
    db: AsyncSession, actor: Actor, person: Person, step: Step, moment: datetime, decision: Decision | None = None
) -> Decided:
    """Take one step with a locked person: the row, its history and the trail together."""
    said = decision or Decision("", "the suspension ended")
    db.add(
        change(
            person.id,
            actor,
            person.status,
            step.target,
            person.roles,
            person.roles,
            moment=moment,
            reason=said.reason,
            message=said.message,
            until=said.until,
        )
    )
    person.status, person.status_since, person.status_message = step.target, moment, said.message
    person.status_until = said.until
    decided = await _end_credentials(db, person, moment) if step.ends_rights else await _touched(db, person, moment)
    details: dict[str, Any] = {"reason": said.reason, "until": said.until.isoformat() if said.until else None}
    await audit.record(db, actor, f"account.{step.done}", ("person", person.id), details)
    return decided


async def _end_credentials(db: AsyncSession, person: Person, moment: datetime) -> Decided:
    """Void all that carries the person's present epoch, and have the workers told at commit."""
    ended, person.epoch = person.epoch, person.epoch + 1
    await _touched(db, person, moment)
    return _decided(person, await announce(db, [person.id], confirm=True), ended)


async def _touched(db: AsyncSession, person: Person, moment: datetime) -> Decided:
    person.updated_at, person.version = moment, person.version + 1
    await db.flush()
    return _decided(person)


def _decided(person: Person, nonce: str = "", ended: int | None = None) -> Decided:
    return Decided(
        person.id, person.email, person.display_name, cast(Status, person.status), tuple(person.roles), nonce, ended
    )


def _listed(roles: Sequence[str]) -> str:
    return ", ".join(roles[:-1]) + f" and {roles[-1]}" if len(roles) > 1 else roles[0]
