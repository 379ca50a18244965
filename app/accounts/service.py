"""Accounts: applying for one, recognising its owner, deciding about it.  Callers own the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import ADMIN, ROLES, SYSTEM, Actor
from app.accounts import queries
from app.accounts.models import AccountChange, Person
from app.accounts.schemas import SignUp, Status
from app.audit import service as audit
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.ids import new_id, now
from app.rights.notices import announce

# From which status a decision leads to which (SPEC 2.A).  Registering again leads from declined to pending.
DECISIONS: Mapping[str, tuple[str, str]] = {
    "approve": ("pending", "active"),
    "decline": ("pending", "declined"),
    "suspend": ("active", "suspended"),
    "reinstate": ("suspended", "active"),
}


@dataclass(frozen=True)
class Decision:
    """What an administrator decides about a person: the verb, why (staff only), what to tell them, until when."""

    verb: str
    reason: str
    message: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Decided:
    """What came of a decision; under `nonce` the workers confirm that it has reached them, if rights ended."""

    display_name: str
    status: str
    nonce: str = ""


@dataclass(frozen=True)
class Application:
    """The outcome of an application: the id shown to the applicant and whether a row was really made."""

    id: UUID
    status: Status
    made: bool


def email_key(email: str) -> str:
    """The form addresses are compared in: trimmed, lower case."""
    return email.strip().lower()


async def register(db: AsyncSession, actor: Actor, sign_up: SignUp, password_hash: str, *, policy: str) -> Application:
    """Apply for an account.  An address already known changes nothing and is answered the same (ASVS 6.3.8),
    except that a declined person's new application goes back into the queue, under the new password they chose.
    """
    if policy == "closed":
        raise Forbidden("New accounts of this kind are not open at the moment.", code="sign_up_closed")
    moment, person_id = now(), new_id()
    status: Status = "active" if policy == "open" else "pending"
    made = await db.scalar(
        insert(Person)
        .values(
            id=person_id,
            email=sign_up.email,
            email_key=email_key(sign_up.email),
            display_name=sign_up.display_name,
            password_hash=password_hash,
            roles=[sign_up.role],
            status=status,
            status_since=moment,
            created_at=moment,
            updated_at=moment,
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(Person.id)
    )
    if made is None:
        await _apply_again(db, actor, sign_up, password_hash, status)
        return Application(person_id, status, made=False)
    db.add(_change(person_id, actor, None, status, None, [sign_up.role], moment=moment, reason="registered"))
    await db.flush()
    await audit.record(db, actor, "account.registered", ("person", person_id), {"role": sign_up.role, "status": status})
    return Application(person_id, status, made=True)


async def _apply_again(db: AsyncSession, actor: Actor, sign_up: SignUp, password_hash: str, status: str) -> None:
    """Somebody applied with an address we know.  A declined applicant enters the queue again (SPEC 2.A: declined ->
    pending); for everybody else nothing changes, and only the trail knows."""
    person = await db.scalar(queries.person_by_email(email_key(sign_up.email)).with_for_update())
    if person is None or person.status != "declined":
        target = "unknown" if person is None else person.id
        await audit.record(db, actor, "account.known_address_applied", ("person", target), {"role": sign_up.role})
        return
    moment, roles = now(), [str(sign_up.role)]
    db.add(_change(person.id, actor, "declined", status, person.roles, roles, moment=moment, reason="applied again"))
    person.status, person.status_since, person.status_message = status, moment, ""
    person.roles, person.password_hash, person.display_name = roles, password_hash, sign_up.display_name
    person.epoch += 1
    person.updated_at, person.version = moment, person.version + 1
    await db.flush()
    await announce(db, [person.id])
    await audit.record(db, actor, "account.applied_again", ("person", person.id), {"role": sign_up.role})


async def make_admin(db: AsyncSession, email: str, display_name: str, password_hash: str) -> tuple[UUID, bool]:
    """Make an administrator, by the command on the server only; a known person is given the role instead.

    Returns the id and whether a new account was made.
    """
    person = await db.scalar(queries.person_by_email(email_key(email)).with_for_update())
    moment = now()
    if person is not None:
        if ADMIN in person.roles and person.status == "active":
            raise Conflict(f"{person.email} is an active administrator already.")
        before, roles = person.status, sorted({*person.roles, ADMIN}, key=ROLES.index)
        db.add(_change(person.id, SYSTEM, before, "active", person.roles, roles, moment=moment, reason="made admin"))
        person.roles, person.status, person.status_since, person.status_until = roles, "active", moment, None
        person.epoch += 1
        person.updated_at = moment
        await db.flush()
        await announce(db, [person.id])
        await audit.record(db, SYSTEM, "account.roles_changed", ("person", person.id), {"roles": roles})
        return person.id, False
    person_id = new_id()
    db.add(
        Person(
            id=person_id,
            email=email.strip(),
            email_key=email_key(email),
            display_name=display_name,
            password_hash=password_hash,
            roles=[ADMIN],
            status="active",
            status_since=moment,
            status_message="",
            epoch=0,
            version=1,
            created_at=moment,
            updated_at=moment,
        )
    )
    await db.flush()
    db.add(_change(person_id, SYSTEM, None, "active", None, [ADMIN], moment=moment, reason="made by command"))
    await db.flush()
    await audit.record(db, SYSTEM, "account.admin_made", ("person", person_id))
    return person_id, True


async def decide(db: AsyncSession, actor: Actor, person_id: UUID, decision: Decision) -> Decided:
    """Approve, decline, suspend or reinstate.  Rights that shrink end every credential of the person at once.

    Raises Conflict when the person is no longer in the status the decision starts from, Forbidden for oneself or for
    the last active administrator.
    """
    start, target = DECISIONS[decision.verb]
    if decision.verb == "suspend":
        await _keep_one_admin(db, person_id)
    person = await db.scalar(queries.person_for_update(person_id))
    if person is None:
        raise NotFound
    if person.id == actor.id:
        raise Forbidden("Nobody decides about their own account.", code="own_account")
    if person.status != start:
        raise Conflict(
            f"This account is {person.status}, so it cannot be {_done(decision.verb)}.", code="status_changed"
        )
    if decision.until is not None and decision.until <= now():
        raise Invalid({"until": ["Choose a moment in the future."]})
    moment = now()
    db.add(
        _change(
            person.id,
            actor,
            person.status,
            target,
            person.roles,
            person.roles,
            moment=moment,
            reason=decision.reason,
            message=decision.message,
            until=decision.until,
        )
    )
    person.status, person.status_since, person.status_message = target, moment, decision.message
    person.status_until = decision.until if target == "suspended" else None
    nonce = ""
    if target == "suspended":
        person.epoch += 1
        nonce = await announce(db, [person.id], confirm=True)
    person.updated_at, person.version = moment, person.version + 1
    await db.flush()
    details = {"reason": decision.reason, "until": decision.until.isoformat() if decision.until else None}
    await audit.record(db, actor, f"account.{_done(decision.verb)}", ("person", person.id), details)
    return Decided(person.display_name, person.status, nonce)


async def change_roles(db: AsyncSession, actor: Actor, person_id: UUID, roles: Sequence[str], reason: str) -> Decided:
    """Give a person exactly these roles; every credential they hold ends, so the new rights are the only ones."""
    wanted = sorted(set(roles), key=ROLES.index)
    if not wanted:
        raise Invalid({"roles": ["A person needs at least one role."]})
    if ADMIN not in wanted:
        await _keep_one_admin(db, person_id)
    person = await db.scalar(queries.person_for_update(person_id))
    if person is None:
        raise NotFound
    if person.id == actor.id:
        raise Forbidden("Nobody changes their own roles.", code="own_account")
    if person.roles == wanted:
        return Decided(person.display_name, person.status)
    moment = now()
    db.add(_change(person.id, actor, person.status, person.status, person.roles, wanted, moment=moment, reason=reason))
    before = list(person.roles)
    person.roles, person.updated_at, person.version = wanted, moment, person.version + 1
    person.epoch += 1
    await db.flush()
    nonce = await announce(db, [person.id], confirm=True)
    details = {"from": before, "to": wanted, "reason": reason}
    await audit.record(db, actor, "account.roles_changed", ("person", person.id), details)
    return Decided(person.display_name, person.status, nonce)


async def person(db: AsyncConnection, person_id: UUID) -> Any:
    """One person's row; raises NotFound."""
    row = (await db.execute(queries.PERSON_BY_ID, {"person_id": person_id})).first()
    if row is None:
        raise NotFound
    return row


async def people(
    db: AsyncConnection,
    *,
    status: str | None = None,
    role: str | None = None,
    search: str = "",
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
    oldest_first: bool = False,
) -> list[Any]:
    """People, newest application first unless told otherwise, filtered."""
    statement = queries.people(
        status=status, role=role, search=search, after=after, limit=limit, oldest_first=oldest_first
    )
    return list((await db.execute(statement)).all())


async def history(db: AsyncConnection, person_id: UUID) -> list[Any]:
    """What was decided about a person, newest first."""
    return list((await db.execute(queries.history(person_id))).all())


async def counts(db: AsyncConnection) -> dict[str, int]:
    """How many people there are in each status."""
    return {row[0]: row[1] for row in (await db.execute(queries.counts_by_status())).all()}


async def active_editors(db: AsyncConnection) -> list[Any]:
    """Editors who can be given work, by name."""
    return list((await db.execute(queries.active_with_role("editor"))).all())


async def is_active_editor(db: AsyncSession, person_id: UUID) -> bool:
    """Whether this person can be given work."""
    return await db.scalar(queries.is_active_with_role(person_id, "editor")) is not None


async def _keep_one_admin(db: AsyncSession, person_id: UUID) -> None:
    """Refuse to take the last active administrator away.  All of them are locked first, in one order, so two
    administrators who suspend each other at the same moment cannot both succeed."""
    admins = (await db.scalars(queries.active_admins_for_update())).all()
    if [admin.id for admin in admins] == [person_id]:
        raise Forbidden("The last active administrator cannot be taken away.", code="last_admin")


def _done(verb: str) -> str:
    return {"approve": "approved", "decline": "declined", "suspend": "suspended", "reinstate": "reinstated"}[verb]


def _change(
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
